//! S3 answers badly: it hangs, fails, asks to slow down, or breaks off in the middle of an answer.
//! Every operation that needs it reports that in time, and changes nothing.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::assert_unavailable;
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::reply::Reply;

const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\
     content-type: application/xml\r\ncontent-length: 84\r\n\r\n\
     <Error><Code>InternalError</Code><Message>We had an internal fault</Message></Error>";
const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\nconnection: close\r\n\
     content-type: application/xml\r\ncontent-length: 78\r\n\r\n\
     <Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>";

async fn app(proxy: &FaultyProxy) -> App {
    Setup::new()
        .s3(proxy.endpoint())
        .set("BROKER_AWS_TIMEOUT_SECONDS", 1.5)
        .set("BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS", 0.5)
        .start()
        .await
}

async fn all_verbs_fail_and_recover(way: Mode) {
    let proxy = FaultyProxy::new(cloud::address());
    let app = app(&proxy).await;
    let stored = app.upload("stored", "bytes", json!({})).await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();

    proxy.set_mode(way);
    let acknowledge = format!("/uploads/{}/acknowledge", id(&session));
    let delete = format!("/uploads/{}", id(&stored));
    let listing = || app.request(Method::GET, "/datasets");
    let calls = [
        app.request(Method::POST, &acknowledge),
        app.request(Method::POST, "/datasets/a.csv/action/acknowledge"),
        app.request(Method::DELETE, &delete),
        app.request(Method::DELETE, "/datasets/stored"),
        listing(),
        listing().header("accept", "application/x-ndjson"),
        app.request(Method::GET, "/datasets/stored"),
        app.request(Method::GET, "/datasets/stored/action/download"),
    ];
    for reply in futures::future::join_all(calls.map(Reply::of)).await {
        assert_unavailable(&app, reply, "S3");
    }
    assert_eq!(app.read(&stored).await, stored, "{way:?}");
    let now = app.read(&session).await;
    assert_eq!(now["updated_at"], session["updated_at"], "{way:?}: {now:#}");
    assert_eq!(app.event_types(&session).await, [""; 0], "{way:?}");
    // Operations without S3 calls still work.
    let other = app.create("b.csv", json!({})).await;
    app.post_empty(&format!("/uploads/{}/cancel", id(&other)))
        .await
        .expect(StatusCode::OK);
    app.assert_no_open_transaction().await;

    proxy.set_mode(Mode::Forward(cloud::address()));
    app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    app.get("/datasets/stored").await.expect(StatusCode::OK);
    app.delete("/datasets/stored").await.expect_ok();
    let types = app.event_types(&stored).await;
    assert_eq!(types[1..], ["dataset.deleting", "dataset.deleted"]);
}

#[tokio::test]
async fn hanging_s3_is_503_and_changes_nothing() {
    all_verbs_fail_and_recover(Mode::Silent).await;
}

#[tokio::test]
async fn s3_internal_error_is_503_and_changes_nothing() {
    all_verbs_fail_and_recover(Mode::Respond(BROKEN)).await;
}

#[tokio::test]
async fn s3_slow_down_is_503_and_changes_nothing() {
    all_verbs_fail_and_recover(Mode::Respond(SLOW_DOWN)).await;
}

#[tokio::test]
async fn truncated_s3_answer_is_503_and_changes_nothing() {
    all_verbs_fail_and_recover(Mode::Truncate(cloud::address(), 60)).await;
}

#[tokio::test]
async fn slow_s3_answer_within_timeout_succeeds() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    // Also the connection that is open already is slow from now on.
    app.get("/datasets").await.expect(StatusCode::OK);
    proxy.set_mode(Mode::Silent);
    let reply = async {
        let mut acknowledge = std::pin::pin!(app.acknowledge(&session));
        let pause = tokio::time::Duration::from_millis(300);
        let early = tokio::time::timeout(pause, &mut acknowledge).await;
        assert!(early.is_err(), "answered without S3: {early:#?}");
        proxy.set_mode(Mode::Forward(cloud::address()));
        acknowledge.await
    };
    assert_eq!(reply.await.expect(StatusCode::OK)["status"], "Uploaded");
}
