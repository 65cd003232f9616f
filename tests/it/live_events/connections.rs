//! What a stream looks like on the wire, and connections that break.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{all_readable, insert, named, open};
use crate::support::app::{App, Setup};
use crate::support::database;
use crate::support::event_stream::EventStream;
use crate::support::gate::Gate;
use crate::support::observe::eventually;

fn address(app: &App) -> SocketAddr {
    let address = app.url.trim_start_matches("http://");
    address.parse().expect("an address")
}

#[tokio::test]
async fn response_has_the_headers_that_proxies_need() {
    let app = App::start().await;
    let stream = open(&app, "/events").await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
        ("vary", "Accept"),
    ] {
        assert_eq!(stream.header(name), Some(value), "{name}");
    }
    assert!(stream.header("content-length").is_none());
    let retry = stream.retry.expect("a delay");
    assert!(retry >= Duration::from_secs(1), "{retry:?}");
    assert!(retry <= Duration::from_secs(3), "{retry:?}");
}

#[tokio::test]
async fn quiet_stream_gets_a_comment_and_its_position_every_fifteen_seconds() {
    let app = App::start().await;
    let mut stream = open(&app, "/events?prefix=/other/").await;
    let start = stream.last_id.clone();
    app.upload("/a.csv", "x", json!({})).await;
    stream.expect_nothing(Duration::from_secs(32)).await;
    assert_eq!(stream.comments, 2);
    assert_ne!(stream.last_id, start, "it moves on without a visible event");
    let mut next = super::resume(&app, "/events", &stream.last_id).await;
    next.expect_nothing(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn client_whose_connection_was_cut_continues_without_loss() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    let gate = Gate::new(address(&app));
    let through = |path: &str| {
        let url = format!("{}{path}", gate.endpoint());
        app.http.request(Method::GET, url).bearer_auth(&app.key)
    };
    all_readable(&app).await;
    let mut stream = EventStream::open(through("/events")).await;
    insert(&client, &upload, 2..4).await;
    assert_eq!(
        stream.events(2).await,
        named(&[("/a.csv", 2), ("/a.csv", 3)])
    );
    gate.drop_connections().await;
    insert(&client, &upload, 4..6).await;
    assert_eq!(stream.next().await, None, "the connection is cut");
    let mut stream = EventStream::resume(through("/events"), &stream.last_id).await;
    assert_eq!(
        stream.events(2).await,
        named(&[("/a.csv", 4), ("/a.csv", 5)])
    );
    eventually("the place of the cut stream is free", async || {
        app.metric("event_streams").await == 1.0
    })
    .await;
}

#[tokio::test]
async fn stream_survives_an_outage_of_postgres() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let mut stream = open(&app, "/events").await;
    gate.close().await;
    insert(&app.sql().await, &upload, 2..4).await;
    stream.expect_nothing(Duration::from_secs(5)).await;
    gate.restore();
    assert_eq!(
        stream.events(2).await,
        named(&[("/a.csv", 2), ("/a.csv", 3)])
    );
}
