//! A stream ends with its credential.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use upload_broker::domain::principal::Scope;
use upload_broker::store::pool;
use upload_broker::usecases::identity::keys;

use super::named;
use crate::auth::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::event_stream::EventStream;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// The documented time is five seconds; the machine may be busy.
const MOST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn revoked_key_ends_its_streams_within_seconds() {
    let app = App::start().await;
    let (key_id, key) = app.issue_key("default", &[Scope::UploadsRead], None).await;
    let reader = Caller::new(app.url.clone(), key);
    let mut stream = EventStream::open(reader.request(Method::GET, "/events")).await;
    let mut other = super::open(&app, "/events").await;
    let mut connection = pool::connect(app.database.url()).await.expect("Postgres");
    let revoked = keys::revoke(&mut connection, &app.clock, key_id).await;
    assert!(revoked.expect("an answer"));
    let start = Instant::now();
    assert_eq!(stream.end().await, "credential");
    assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    let again = reader.get("/events").await;
    again.expect_problem(401, "unauthenticated");
    app.upload("/a.csv", "x", json!({})).await;
    assert_eq!(other.events(1).await, named(&[("/a.csv", 1)]));
    let ended = app.metric(r#"event_streams_ended_total{reason="credential"}"#);
    assert_eq!(ended.await, 1.0);
}

#[tokio::test]
async fn expired_token_ends_its_stream_and_needs_no_header() {
    let app = App::start().await;
    let body = json!({"scopes": ["uploads:read"], "expires_in": 60});
    let token = issue_token(&app, body).await.key;
    // As a browser does it, which can send no header.
    let url = format!("{}/t/{token}/events", app.url);
    let mut stream = EventStream::open(app.http.get(&url)).await;
    app.upload("/a.csv", "x", json!({})).await;
    assert_eq!(stream.events(1).await, named(&[("/a.csv", 1)]));
    app.advance(TimeDelta::seconds(61));
    let start = Instant::now();
    assert_eq!(stream.end().await, "credential");
    assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    let again = Reply::of(app.http.get(&url)).await;
    again.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn disabled_tenant_loses_its_streams() {
    let app = App::start().await;
    let (_, key) = app.issue_key("acme", &[Scope::UploadsRead], None).await;
    let reader = Caller::new(app.url.clone(), key);
    let mut stream = EventStream::open(reader.request(Method::GET, "/events")).await;
    let disable = "UPDATE tenants SET disabled_at = now() WHERE name = 'acme'";
    app.sql().await.batch_execute(disable).await.expect("a row");
    assert_eq!(stream.end().await, "credential");
}

#[tokio::test]
async fn stream_requires_the_scope_to_read_uploads() {
    let app = App::start().await;
    let others = Scope::ALL.into_iter();
    let others = others.filter(|one| !matches!(one, Scope::UploadsRead | Scope::Admin));
    let others: Vec<_> = others.collect();
    let (_, key) = app.issue_key("default", &others, None).await;
    let writer = Caller::new(app.url.clone(), key);
    let upload = app.upload("/a.csv", "x", json!({})).await;
    for path in ["/events", &format!("/uploads/{}/events", id(&upload))] {
        let request = writer.request(Method::GET, path);
        let reply = Reply::of(request.header("accept", "text/event-stream")).await;
        reply.expect_problem(403, "insufficient-scope");
        let request = app.http.get(format!("{}{path}", app.url));
        let reply = Reply::of(request.header("accept", "text/event-stream")).await;
        reply.expect_problem(401, "unauthenticated");
    }
}
