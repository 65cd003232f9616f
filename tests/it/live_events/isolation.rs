//! A stream has the events of its tenant and of its folder, and those that its client asks for.

use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::{insert, named, open};
use crate::auth::tokens::issue_token;
use crate::support::app::App;
use crate::support::event_stream::EventStream;
use crate::support::serving::Caller;

#[tokio::test]
async fn stream_has_events_of_its_own_tenant_only() {
    let app = App::start().await;
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let mut ours = open(&app, "/events").await;
    let mut theirs = EventStream::open(acme.request(Method::GET, "/events")).await;
    let start = ours.last_id.clone();
    acme.upload("/theirs.csv", "x").await;
    app.upload("/ours.csv", "x", json!({})).await;
    acme.upload("/theirs-2.csv", "x").await;
    app.upload("/ours-2.csv", "x", json!({})).await;
    let expected = named(&[("/theirs.csv", 1), ("/theirs-2.csv", 1)]);
    assert_eq!(theirs.events(2).await, expected);
    let expected = named(&[("/ours.csv", 1), ("/ours-2.csv", 1)]);
    assert_eq!(ours.events(2).await, expected);
    // A cursor of another tenant is a place in time, and gives no right.
    let stolen = acme.request(Method::GET, "/events");
    let mut stolen = EventStream::resume(stolen, &start).await;
    assert_eq!(
        stolen.events(2).await,
        named(&[("/theirs.csv", 1), ("/theirs-2.csv", 1)])
    );
    let page = acme.get(&format!("/events?after={start}")).await;
    assert!(!page.expect_ok().body.contains("ours"));
}

#[tokio::test]
async fn stream_has_events_of_the_folder_of_its_credential_only() {
    let app = App::start().await;
    let body = json!({"prefix": "/in/", "scopes": ["uploads:read"], "expires_in": 600});
    let confined = issue_token(&app, body).await;
    let mut stream = EventStream::open(confined.request(Method::GET, "/events")).await;
    let start = stream.last_id.clone();
    let outside = app.upload("/out/a.csv", "x", json!({})).await;
    app.upload("/inbox.csv", "x", json!({})).await;
    app.upload("/in/a.csv", "x", json!({})).await;
    assert_eq!(stream.events(1).await, named(&[("/in/a.csv", 1)]));
    let page = confined.get(&format!("/events?after={start}")).await;
    let page = page.expect(StatusCode::OK);
    assert_eq!(page.as_array().map(Vec::len), Some(1), "{page:#}");
    let elsewhere = format!("/events?after={start}&prefix=/out/");
    let page = confined.get(&elsewhere).await;
    assert_eq!(page.expect(StatusCode::OK), json!([]));
    let history = format!("/uploads/{}/events", crate::support::app::id(&outside));
    let history = confined.request(Method::GET, &history);
    let history = history.header("accept", "text/event-stream");
    let reply = crate::support::reply::Reply::of(history).await;
    reply.expect_problem(404, "upload-not-found");
}

#[tokio::test]
async fn stream_has_events_of_the_wanted_prefix_and_types_only() {
    let app = App::start().await;
    let a = app.upload("/a/1.csv", "x", json!({})).await;
    let mut by_prefix = open(&app, "/events?prefix=a/").await;
    let types = "/events?type=dataset.uploaded&type=upload.cancelled";
    let mut by_type = open(&app, types).await;
    insert(&app.sql().await, &a, 2..3).await;
    app.upload("/b/1.csv", "x", json!({})).await;
    app.upload("/a/2.csv", "x", json!({})).await;
    let expected = named(&[("/a/1.csv", 2), ("/a/2.csv", 1)]);
    assert_eq!(by_prefix.events(2).await, expected);
    let expected = named(&[("/b/1.csv", 1), ("/a/2.csv", 1)]);
    assert_eq!(by_type.events(2).await, expected);
}
