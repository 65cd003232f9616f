//! Deletes that the store refuses, and deletes that an earlier request began.

use reqwest::StatusCode;
use serde_json::json;

use super::{KEY, PATH, assert_deleted, by_id};
use crate::support::app::Setup;
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};

/// S3 fails during a delete, and works again when the client retries.
#[tokio::test]
async fn interrupted_delete_is_resumed_by_retry() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    for by_path in [false, true] {
        let bytes = format!("bytes, {by_path}");
        let upload = app.upload(PATH, &bytes, json!({})).await;
        let path = match by_path {
            true => format!("/datasets{PATH}"),
            false => by_id(&upload),
        };
        let away = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        proxy.set_mode(Mode::RespondToMatching(cloud::address(), "DELETE /", away));
        for _ in 0..2 {
            let reply = app.delete(&path).await;
            reply.expect_problem(503, "service-unavailable");
            assert_eq!(app.read(&upload).await["status"], "Deleting");
        }
        proxy.set_mode(Mode::Forward(cloud::address()));
        // Another client creates a session for the path meanwhile.
        let next = app.create(PATH, json!({"overwrite": true})).await;
        assert_deleted(&app, &path).await;
        assert_eq!(app.read(&upload).await["status"], "Deleted");
        assert!(app.bucket.head(KEY).await.is_none());
        let types = app.event_types(&upload).await;
        assert_eq!(
            types,
            ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
        );
        let over = app.delete(&by_id(&upload)).await;
        over.expect_problem(409, "invalid-status");
        let cancel = app.post_empty(&format!("{}/cancel", by_id(&next))).await;
        cancel.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn delete_falls_back_to_unconditional_when_store_rejects_if_match() {
    for refusal in [
        "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n",
    ] {
        let proxy = FaultyProxy::new(cloud::address());
        let app = Setup::new().s3(proxy.endpoint()).start().await;
        let first = app.upload(PATH, "bytes", json!({})).await;
        let second = app.upload("second.csv", "bytes", json!({})).await;
        proxy.set_mode(Mode::RespondToMatching(
            cloud::address(),
            "if-match: ",
            refusal,
        ));
        assert_deleted(&app, &by_id(&first)).await;
        assert!(app.bucket.head(KEY).await.is_none(), "{refusal}");
        assert_eq!(app.read(&first).await["status"], "Deleted");
        assert_deleted(&app, &by_id(&second)).await;
        assert!(app.bucket.head("second.csv").await.is_none(), "{refusal}");
        // The second delete does not try the unsupported condition again.
        let mut refused = 0.0;
        for outcome in ["refused", "failed"] {
            let name = "s3_call_duration_seconds_count";
            let labels = format!(r#"operation="DeleteObject",outcome="{outcome}""#);
            refused += app.metric(&format!("{name}{{{labels}}}")).await;
        }
        assert_eq!(refused, 1.0, "{refusal}");
        assert_eq!(app.removals_under_way().await, 0);
    }
}

/// Whatever the store answers, only the object that was examined may be deleted.
#[tokio::test]
async fn delete_that_store_refuses_fails_and_changes_nothing() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    proxy.set_mode(Mode::RespondToMatching(
        cloud::address(),
        "DELETE /",
        refusal,
    ));
    let reply = app.delete(&by_id(&upload)).await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.bucket.get(KEY).await, b"bytes");
    assert_eq!(app.removals_under_way().await, 0, "it was answered");
    proxy.set_mode(Mode::Forward(cloud::address()));
    assert_deleted(&app, &by_id(&upload)).await;
    assert!(app.bucket.head(KEY).await.is_none());
}
