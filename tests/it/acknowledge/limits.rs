//! The size limit applies to the object in the bucket, whatever size the client states.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{Setup, id};

#[tokio::test]
async fn acknowledge_rejects_object_larger_than_limit_whatever_size_is_stated() {
    let app = Setup::new().set("BROKER_MAX_SIZE_BYTES", 1_000);
    let app = app.start().await;
    for claims in [json!({}), json!({"size": 50_000}), json!({"size": 1_000})] {
        let session = app.create("/large.csv", json!({})).await;
        app.put(&session, vec![b'x'; 50_000]).await.expect_ok();
        let path = format!("/uploads/{}", id(&session));
        let reply = app.post(&format!("{path}/acknowledge"), claims).await;
        let problem = reply.expect_problem(422, "size-limit-exceeded");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains("50000 bytes"), "{detail}");
        let upload = app.read(&session).await;
        assert_eq!(upload["status"], "Error", "{upload:#}");
        let code = &upload["error"]["code"];
        assert_eq!(code, "size-limit-exceeded", "{upload:#}");
        assert_eq!(app.event_types(&session).await, ["upload.failed"]);
        let reply = app.delete(&path).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
        assert!(app.bucket.head("large.csv").await.is_none());
    }
    let session = app.create("/fits.csv", json!({})).await;
    app.put(&session, vec![b'x'; 1_000]).await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
}
