//! No URL outlives the credential that asked for it; a session may.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::jwt;
use super::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// The lifetime of each credential in seconds. URLs live for 900 s by default.
const LIFE: i64 = 300;

fn time(text: &Value) -> DateTime<Utc> {
    let text = text.as_str().unwrap_or_else(|| panic!("no time: {text}"));
    text.parse().expect("a time")
}

async fn post(caller: &Caller, path: &str, body: Value) -> Value {
    let reply = Reply::of(caller.request(Method::POST, path).json(&body)).await;
    assert!(reply.status.is_success(), "{path}: {reply:#?}");
    reply.json()
}

/// Every kind of URL that a caller can obtain, each with the time at which its signature expires.
/// Asserts that the answer states the same time.
async fn urls(caller: &Caller, upload: &str, parts: &str) -> Vec<(String, DateTime<Utc>)> {
    let name = caller.key.get(caller.key.len() - 8..).expect("a key");
    let new = |what: &str| json!({"path": format!("/in/{what}-{name}.csv")});
    let large = json!({"path": format!("/in/{name}.bin"), "size": 11_000_000, "multipart": true});
    let batch = json!({"uploads": [new("batch")]});
    let mut all = vec![
        (
            "create",
            post(caller, "/uploads", new("create")).await["upload"].clone(),
        ),
        (
            "create in parts",
            post(caller, "/uploads", large).await["multipart"]["parts"][0].clone(),
        ),
        (
            "batch",
            post(caller, "/uploads/batch", batch).await["results"][0]["upload"]["upload"].clone(),
        ),
    ];
    let numbers = json!({"part_numbers": [1]});
    let signed = post(caller, &format!("/uploads/{parts}/parts"), numbers).await;
    all.push(("parts", signed["parts"][0].clone()));
    let fresh = async |id: &str| {
        caller
            .get(&format!("/uploads/{id}?refresh_urls=true"))
            .await
            .expect(StatusCode::OK)
    };
    all.push(("refresh", fresh(upload).await["upload"].clone()));
    all.push((
        "refresh in parts",
        fresh(parts).await["multipart"]["parts"][0].clone(),
    ));
    let download = caller
        .get("/datasets/in/there.csv/action/download?redirect=false")
        .await;
    all.push(("download", download.expect(StatusCode::OK)));
    (all.into_iter())
        .map(|(what, signed)| {
            let says = time(&signed["expires_at"]);
            let url = signed["url"]
                .as_str()
                .unwrap_or_else(|| panic!("{what}: {signed:#}"));
            let url = reqwest::Url::parse(url).expect("a URL");
            let of = |wanted: &str| {
                let found = url.query_pairs().find(|(name, _)| name == wanted);
                found.expect(wanted).1.into_owned()
            };
            let from = chrono::NaiveDateTime::parse_from_str(&of("X-Amz-Date"), "%Y%m%dT%H%M%SZ");
            let lives = TimeDelta::seconds(of("X-Amz-Expires").parse().expect("seconds"));
            let ends = from.expect("a time").and_utc() + lives;
            assert_eq!(says, ends, "{what} says what is signed");
            (what.to_owned(), ends)
        })
        .collect()
}

/// A broker with a dataset, an open session and an open multipart session, the ids of both
/// sessions, and one caller of each kind whose credential lives for [`LIFE`].
async fn scene() -> (App, [String; 2], Vec<Caller>) {
    let app = jwt::setup().start().await;
    app.upload("/in/there.csv", "x", json!({})).await;
    let open = app.create("/in/open.csv", json!({})).await;
    let large = json!({"size": 11_000_000, "multipart": true});
    let parts = app.create("/in/open.bin", large).await;
    let ids = [&open, &parts].map(|session| id(session).to_owned());
    let end = app.clock.now() + TimeDelta::seconds(LIFE);
    let (_, key) = app.issue_key("default", &Scope::ALL, Some(end)).await;
    let scopes = ["uploads:write", "uploads:read", "datasets:read"];
    let token = issue_token(&app, json!({"scopes": scopes, "expires_in": LIFE})).await;
    // JWTs are accepted for 30 s longer, as clocks may differ.
    let claims =
        json!({"tenant": "default", "scope": scopes.join(" "), "exp": end.timestamp() - 30});
    let jwt = jwt::jwt_caller(&app, claims);
    let key = Caller::new(app.url.clone(), key);
    (app, ids, vec![key, token, jwt])
}

#[tokio::test]
async fn urls_expire_with_the_credential_that_requested_them() {
    let (app, [open, parts], callers) = scene().await;
    let begin = app.clock.now().trunc_subsecs(0);
    let end = begin + TimeDelta::seconds(LIFE);
    for caller in &callers {
        for (what, ends) in urls(caller, &open, &parts).await {
            assert_eq!(ends, end, "{what} by {}", caller.key);
        }
    }
    // A caller without an expiry gets the requested lifetime.
    let keeper = Caller::new(app.url.clone(), app.key.clone());
    for (what, ends) in urls(&keeper, &open, &parts).await {
        assert_eq!(ends, begin + TimeDelta::seconds(900), "{what}");
    }
    // In the last second of a credential, a URL still lives for one second.
    app.advance(TimeDelta::seconds(LIFE) - TimeDelta::milliseconds(1_500));
    for caller in &callers {
        for (what, ends) in urls(caller, &open, &parts).await {
            let left = ends - app.clock.now().trunc_subsecs(0);
            assert!((1..=2).contains(&left.num_seconds()), "{what}: {left}");
        }
    }
}

/// Another caller who may write to the path continues the session.
#[tokio::test]
async fn session_outlives_the_credential_that_created_it() {
    let (app, _, callers) = scene().await;
    for (at, caller) in callers.iter().enumerate() {
        let begin = app.clock.now();
        let body = json!({"path": format!("/in/{at}.csv"), "expires_in": 3600});
        let session = post(caller, "/uploads", body).await;
        let ends = time(&session["expires_at"]) - begin.trunc_subsecs(0);
        assert_eq!(ends.num_seconds(), 3600, "{session:#}");
        // A lifetime shorter than that of the credential is kept.
        let body = json!({"path": format!("/in/short-{at}.csv"), "expires_in": 60});
        let short = post(caller, "/uploads", body).await;
        assert_eq!(short["expires_at"], short["upload"]["expires_at"]);

        app.advance(TimeDelta::seconds(1));
        let path = format!("/uploads/{}", id(&session));
        let refreshed = caller.get(&format!("{path}?refresh_urls=true")).await;
        let refreshed = refreshed.expect(StatusCode::OK);
        assert!(
            time(&refreshed["expires_at"]) > time(&session["expires_at"]),
            "{refreshed:#}"
        );
        assert_eq!(
            refreshed["upload"]["expires_at"], session["upload"]["expires_at"],
            "the same end"
        );
        let keeper = app.get(&format!("{path}?refresh_urls=true")).await;
        let keeper = keeper.expect(StatusCode::OK);
        let lives = time(&keeper["upload"]["expires_at"]) - app.clock.now().trunc_subsecs(0);
        assert_eq!(lives.num_seconds(), 3600, "{keeper:#}");
    }
}
