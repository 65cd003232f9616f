//! Places for streams, which are not those of requests.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::{insert, named, open};
use crate::support::app::Setup;
use crate::support::event_stream::EventStream;
use crate::support::observe::eventually;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

async fn refused(request: reqwest::RequestBuilder) -> Reply {
    Reply::of(request.header("accept", "text/event-stream")).await
}

#[tokio::test]
async fn tenant_has_a_limit_of_streams_and_others_are_not_affected() {
    let setup = Setup::new().set("BROKER_MAX_STREAMS_PER_TENANT", 2);
    let app = setup.set("BROKER_MAX_STREAMS", 3).start().await;
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let first = open(&app, "/events").await;
    let _second = open(&app, "/events").await;
    let reply = refused(app.request(Method::GET, "/events")).await;
    assert_eq!(reply.header("retry-after"), Some("10"), "{reply:#?}");
    let problem = reply.expect_problem(429, "too-many-streams");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("2 live streams"), "{detail}");
    // Pages are not limited by it.
    app.get("/events").await.expect(StatusCode::OK);
    let _theirs = EventStream::open(acme.request(Method::GET, "/events")).await;
    let reply = refused(acme.request(Method::GET, "/events")).await;
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.metric("event_streams").await, 3.0);
    drop(first);
    eventually("the place of a client that has left is free", async || {
        app.metric("event_streams").await == 2.0
    })
    .await;
    open(&app, "/events").await;
}

#[tokio::test]
async fn streams_do_not_hold_the_places_of_requests() {
    let app = Setup::new().set("BROKER_MAX_IN_FLIGHT", 1).start().await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(open(&app, "/events").await);
    }
    app.upload("/a.csv", "x", json!({})).await;
    for stream in &mut streams {
        assert_eq!(stream.events(1).await, named(&[("/a.csv", 1)]));
    }
    assert_eq!(app.metric("http_requests_in_flight").await, 1.0);
}

#[tokio::test]
async fn stream_lives_longer_than_the_timeouts_of_requests() {
    let setup = Setup::new().set("BROKER_REQUEST_TIMEOUT_SECONDS", 5);
    let app = setup.set("BROKER_WRITE_TIMEOUT_SECONDS", 2).start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let mut stream = open(&app, "/events").await;
    stream.expect_nothing(Duration::from_secs(8)).await;
    insert(&app.sql().await, &upload, 2..3).await;
    assert_eq!(stream.events(1).await, named(&[("/a.csv", 2)]));
}

#[tokio::test]
async fn head_and_json_requests_take_no_place() {
    let setup = Setup::new().set("BROKER_MAX_STREAMS_PER_TENANT", 1);
    let app = setup.start().await;
    for _ in 0..3 {
        let head = app.request(Method::HEAD, "/events");
        let head = refused(head).await;
        assert_eq!(head.status, StatusCode::OK, "{head:#?}");
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
    }
    eventually("no place is in use", async || {
        app.metric("event_streams").await == 0.0
    })
    .await;
    open(&app, "/events").await;
}
