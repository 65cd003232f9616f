//! Authentication and authorization: keys and scopes on every operation of the OpenAPI document.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::identity::keys;

use crate::support::app::{App, Setup, id};
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

mod audited;
mod concurrent_keys;
mod hashes;
pub mod issuer;
mod jail;
mod jwks;
mod jwt;
mod jwt_claims;
mod matrix;
mod prefix;
mod secrets;
mod tenants;
mod token_counts;
mod token_minting;
pub mod tokens;
mod url_life;

/// The id of no upload in parts of an Uppy client.
const NO_S3_UPLOAD: &str = "none";

/// An operation of the document that needs a credential.
struct Operation {
    method: Method,
    /// The path, with the placeholders `{id}` and `{path}`.
    template: String,
    scope: Scope,
    /// Whether it needs no scope; `scope` is then one that a caller may have.
    is_for_any_credential: bool,
    /// Further scopes that it needs.
    also: Vec<Scope>,
    /// The query with examples of the parameters that it requires; empty if there are none.
    query: String,
    /// An example of its body, if it has one.
    example: Option<Value>,
}

impl Operation {
    fn path(&self, id: &str, path: &str) -> String {
        let path = (self.template.replace("{id}", id))
            .replace("{path}", path)
            .replace("{uploadId}", NO_S3_UPLOAD)
            .replace("{partNumber}", "1");
        format!("{path}{}", self.query)
    }
}

/// All operations that need a credential, so that a new operation is covered automatically.
fn operations() -> Vec<Operation> {
    let document = upload_broker::http::openapi::document();
    let document = serde_json::to_value(document).expect("the document");
    let mut all = Vec::new();
    for (template, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let security = operation["security"].as_array().expect("security");
            let Some(needed) = security.first() else {
                continue;
            };
            let scopes = needed["bearer"].as_array().expect("scopes").iter();
            let mut scopes = scopes.map(|scope| -> Scope {
                let scope = scope.as_str().expect("a scope");
                scope.parse().unwrap_or_else(|_| panic!("no scope {scope}"))
            });
            all.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                template: template.clone(),
                is_for_any_credential: needed["bearer"] == json!([]),
                scope: scopes.next().unwrap_or(Scope::UploadsRead),
                also: scopes.collect(),
                query: required_query(operation),
                example: operation.get("requestBody").map(|body| {
                    let json = &body["content"]["application/json"];
                    json.get("example").cloned().unwrap_or_else(|| json!({}))
                }),
            });
        }
    }
    assert!(all.len() >= 12, "{} operations", all.len());
    all
}

/// The query with examples of the parameters that an operation requires.
fn required_query(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let pairs = required.map(|one| format!("{}={}", text(&one["name"]), text(&one["example"])));
    match pairs.collect::<Vec<_>>() {
        pairs if pairs.is_empty() => String::new(),
        pairs => format!("?{}", pairs.join("&")),
    }
}

/// Calls every operation on an upload for each of `uploads`, which must not exist for the caller;
/// returns the problems, each of which is a 404.
async fn not_found_problems(caller: &Caller, uploads: &[&Value]) -> Vec<Value> {
    let mut problems = Vec::new();
    let operations = operations();
    let names_one = |operation: &&Operation| operation.template.contains("{id}");
    for operation in operations.iter().filter(names_one) {
        for upload in uploads {
            for query in ["", "?force=remove", "?refresh_urls=true"] {
                let path = format!("{}{query}", operation.path(id(upload), ""));
                let mut request = caller.request(operation.method.clone(), &path);
                if operation.method == Method::POST && operation.template.ends_with("/parts") {
                    // An empty request is rejected before the upload is looked up.
                    request = request.json(&json!({"from": 1}));
                }
                if operation.template.ends_with("/processing") {
                    request = request.json(&json!({"status": "Processing"}));
                }
                let reply = Reply::of(request).await;
                if reply.status == StatusCode::UNPROCESSABLE_ENTITY && !query.is_empty() {
                    continue; // the operation does not know the parameter
                }
                problems.push(reply.expect_problem(404, "upload-not-found"));
            }
        }
    }
    assert!(problems.len() >= 10, "{problems:#?}");
    problems
}

/// Calls an operation with this key and with a body that is not valid JSON.
async fn send(app: &App, operation: &Operation, path: &str, key: Option<&str>) -> Reply {
    let url = format!("{}{path}", app.url);
    let mut request = app.http.request(operation.method.clone(), url);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if operation.example.is_some() {
        request = request.header("content-type", "application/json").body("{");
    }
    Reply::of(request).await
}

async fn get_as(app: &App, key: &str, path: &str) -> Reply {
    let request = app.http.get(format!("{}{path}", app.url));
    Reply::of(request.bearer_auth(key)).await
}

#[tokio::test]
async fn only_complete_bearer_token_in_header_is_accepted() {
    let app = App::start().await;
    let key = &app.key;
    for (value, status) in [
        (format!("Bearer {key}"), 200),
        (format!("bearer {key}"), 200),
        (format!("BEARER   {key} "), 200),
        (key.clone(), 401),
        (format!("Basic {key}"), 401),
        (format!("Bearer {key}x"), 401),
        (format!("Bearer {}", &key[..key.len() - 1]), 401),
        (format!("Bearer {}", key.to_uppercase()), 401),
        (format!("Bearer {key},{key}"), 401),
        ("Bearer".into(), 401),
        ("Bearer ".into(), 401),
        ("Bearer ubk_' OR 1=1 --".into(), 401),
    ] {
        let request = app.http.get(format!("{}/uploads", app.url));
        let reply = Reply::of(request.header("authorization", &value)).await;
        assert_eq!(reply.status.as_u16(), status, "{value:?}: {reply:#?}");
    }
    // A key in the query is not accepted: queries end up in logs.
    let request = app
        .http
        .get(format!("{}/uploads?access_token={key}", app.url));
    Reply::of(request)
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn cached_key_is_rejected_after_its_expiry() {
    let app = App::start().await;
    let end = app.clock.now() + TimeDelta::minutes(5);
    let (_, key) = app.issue_key("default", &Scope::ALL, Some(end)).await;
    get_as(&app, &key, "/uploads").await.expect(StatusCode::OK);
    app.advance(TimeDelta::minutes(5) - TimeDelta::microseconds(1));
    get_as(&app, &key, "/uploads").await.expect(StatusCode::OK);
    app.advance(TimeDelta::microseconds(1));
    get_as(&app, &key, "/uploads")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn revoked_key_is_rejected_within_five_seconds() {
    let app = App::start().await;
    let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
    get_as(&app, &key, "/uploads").await.expect(StatusCode::OK);
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let revoke = async |connection: &mut _| keys::revoke(connection, &app.clock, id).await;
    assert!(revoke(&mut connection).await.expect("an answer"));
    let revoked = Instant::now();
    loop {
        let reply = get_as(&app, &key, "/uploads").await;
        if reply.status == StatusCode::UNAUTHORIZED {
            reply.expect_problem(401, "unauthenticated");
            break;
        }
        reply.expect_ok();
        let waited = revoked.elapsed();
        assert!(
            waited < Duration::from_secs(5),
            "still good after {waited:?}"
        );
    }
    assert!(
        !revoke(&mut connection).await.expect("an answer"),
        "only once"
    );
    // Other keys stay valid.
    app.get("/uploads").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn first_use_of_key_sets_its_last_use() {
    let app = App::start().await;
    let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let last_use = async |connection: &mut _| {
        let keys = keys::list(connection).await.expect("the keys");
        let key = keys.into_iter().find(|key| key.id == id);
        key.expect("the key").last_used_at
    };
    assert_eq!(last_use(&mut connection).await, None);
    get_as(&app, &key, "/uploads").await.expect(StatusCode::OK);
    assert_eq!(last_use(&mut connection).await, Some(app.clock.now()));
}

#[tokio::test]
async fn cached_key_needs_no_query() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    let (_, unknown) = app.issue_key("default", &Scope::ALL, None).await;
    app.bucket.put("a.csv", "x").await;
    app.get("/datasets").await.expect(StatusCode::OK);
    gate.close().await;
    // A list calls S3 only: with the key in the cache, Postgres is not needed.
    let list = app.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list[0]["path"], "/a.csv", "{list:#}");
    // A key that is not cached is neither accepted nor rejected.
    let reply = get_as(&app, &unknown, "/datasets").await;
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    reply.expect_problem(503, "service-unavailable");
    gate.restore();
    get_as(&app, &unknown, "/datasets")
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn auth_off_makes_every_caller_the_default_tenant() {
    let app = Setup::new().set("BROKER_AUTH", "off").start().await;
    let session = app.create("/a.csv", json!({})).await;
    for request in [
        app.http.get(format!("{}/uploads", app.url)),
        app.http
            .get(format!("{}/uploads", app.url))
            .bearer_auth("nonsense"),
    ] {
        let list: Value = Reply::of(request).await.expect(StatusCode::OK);
        assert_eq!(list[0]["id"], session["id"], "{list:#}");
    }
}
