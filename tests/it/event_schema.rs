//! `GET /schemas/event.json`: the schema is public and cacheable, and real events match it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::config::EVENT_TYPES;

use crate::notify_kinds::{every_type, make_every_event, receive_all};
use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;

const SCHEMA: &str = "/schemas/event.json";

async fn get(app: &App, path: &str, known: Option<&str>) -> Reply {
    let mut request = app.http.get(format!("{}{path}", app.url));
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    Reply::of(request).await
}

async fn schema(app: &App) -> Value {
    get(app, SCHEMA, None).await.expect(StatusCode::OK)
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    let built = options.build(schema);
    built.unwrap_or_else(|error| panic!("{error}: {schema:#}"))
}

/// The same schema without permission for members that it does not name: a member that it forgets
/// is found.
fn strict(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema["unevaluatedProperties"] = json!(false);
    for name in ["data", "checksum", "verification"] {
        schema["$defs"][name]["unevaluatedProperties"] = json!(false);
    }
    schema
}

/// Checks an event against the schema of the broker, without permission for other members.
pub async fn assert_matches_schema(app: &App, event: &Value) {
    assert_valid(&validator(&strict(&schema(app).await)), event);
}

#[track_caller]
fn assert_valid(schema: &Validator, event: &Value) {
    let faults: Vec<String> = (schema.iter_errors(event))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?} in {event:#}");
}

#[tokio::test]
async fn schema_is_public_and_valid() {
    let app = App::start().await;
    let reply = get(&app, SCHEMA, None).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/schema+json"),
        "{reply:#?}"
    );
    let schema = reply.expect(StatusCode::OK);
    let draft = "https://json-schema.org/draft/2020-12/schema";
    assert_eq!(schema["$schema"], draft);
    if let Err(error) = jsonschema::meta::validate(&schema) {
        panic!("{error}: {schema:#}");
    }
    let url = format!("{}{SCHEMA}", app.url);
    let head = Reply::of(app.http.request(Method::HEAD, &url)).await;
    assert_eq!((head.status, &*head.body), (StatusCode::OK, ""));
    let post = Reply::of(app.http.post(&url)).await;
    post.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn documents_are_sent_again_only_when_they_have_changed() {
    let app = App::start().await;
    for path in [SCHEMA, "/openapi.json", "/openapi.yaml"] {
        let first = get(&app, path, None).await.expect_ok();
        assert_eq!(first.header("cache-control"), Some("no-cache"), "{path}");
        let etag = first.header("etag").expect("an ETag");
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        let list = format!("\"other\", W/{etag}");
        for known in [etag, &list, "*"] {
            let same = get(&app, path, Some(known)).await;
            assert_eq!(same.status, StatusCode::NOT_MODIFIED, "{path}: {same:#?}");
            assert_eq!(same.header("etag"), Some(etag), "{path}");
            assert_eq!(same.body, "", "{path}");
        }
        let other = get(&app, path, Some("\"other\"")).await.expect_ok();
        assert_eq!(other.body, first.body, "{path}");
    }
}

/// Every type of event, as SNS delivers it, and as the history shows it.
#[tokio::test]
async fn real_events_of_every_type_match_the_schema() {
    let setup = Setup::new().set("BROKER_NOTIFY", every_type());
    let app = setup.start().await;
    make_every_event(&app).await;
    let schema = schema(&app).await;
    let (open, strict) = (validator(&schema), validator(&strict(&schema)));
    let mut kinds = BTreeSet::new();
    for message in receive_all(&app).await {
        let event = message.json();
        for schema in [&open, &strict] {
            assert_valid(schema, &event);
        }
        kinds.insert(event["type"].as_str().expect("a type").to_owned());
    }
    assert_eq!(kinds, EVENT_TYPES.map(str::to_owned).into());

    let data = json!({"$ref": "#/$defs/data", "$defs": schema["$defs"]});
    let data = validator(&data);
    let uploads = app.get("/uploads?limit=1000").await.expect(StatusCode::OK);
    for upload in uploads.as_array().expect("an array") {
        for event in app.events(upload).await {
            assert_valid(&data, &event["data"]);
        }
    }
}

#[tokio::test]
async fn wrong_events_do_not_match_the_schema() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "a", json!({})).await;
    app.derive(&upload, "/derived/a.csv", "b").await;
    let schema = validator(&schema(&app).await);
    for message in receive_all(&app).await {
        let event = message.json();
        assert_valid(&schema, &event);
        for (pointer, wrong) in [
            ("/specversion", json!("0.3")),
            ("/id", json!("1")),
            ("/type", json!("dataset.eaten")),
            ("/type", json!("dataset.deleted")),
            ("/type", json!("dataset.drifted")),
            ("/time", json!("yesterday")),
            ("/sequence", json!(1)),
            ("/sequence", json!("0")),
            ("/tenant", Value::Null),
            ("/data", json!({})),
            ("/data/upload_id", json!(id(&upload).replace('-', ""))),
            ("/data/status", json!("Eaten")),
            ("/data/status", json!("Pending")),
            ("/data/path", json!("a.csv")),
            ("/data/size", json!(-1)),
            ("/data/size", Value::Null),
            ("/data/etag", Value::Null),
            ("/data/verification", Value::Null),
            ("/data/verification/level", json!("none")),
            ("/data/metadata", json!({"n": 1})),
            ("/data/error", json!({"code": "object-mismatch"})),
        ] {
            let mut changed = event.clone();
            *changed.pointer_mut(pointer).expect(pointer) = wrong.clone();
            assert!(!schema.is_valid(&changed), "{pointer}: {wrong}");
        }
        for member in ["id", "type", "sequence", "data"] {
            let mut changed = event.clone();
            changed.as_object_mut().expect("an object").remove(member);
            assert!(!schema.is_valid(&changed), "without {member}");
        }
        // What a later version adds does not disturb a subscriber that checks.
        let mut later = event.clone();
        later["new"] = json!(1);
        later["data"]["new"] = json!(1);
        assert_valid(&schema, &later);
    }
}
