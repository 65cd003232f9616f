//! Acknowledge when the object at the path is missing, foreign, or differs from the declaration.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};

const PATH: &str = "/data/employees.csv";
const KEY: &str = "data/employees.csv";
const SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";

#[tokio::test]
async fn acknowledge_reports_missing_object_and_stays_pending() {
    let app = App::start().await;
    let session = app.create(PATH, json!({})).await;
    for _ in 0..2 {
        let problem = app.acknowledge(&session).await;
        let problem = problem.expect_problem(409, "object-missing");
        assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
        assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
        let instance = format!("/uploads/{}/acknowledge", id(&session));
        assert_eq!(problem["instance"], instance, "{problem:#}");
    }
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Pending", "{now:#}");
    assert_eq!(now["updated_at"], session["updated_at"], "{now:#}");
    assert!(app.event_types(&session).await.is_empty());

    app.put(&session, "id,name").await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn foreign_object_fails_upload_that_must_not_overwrite() {
    let app = App::start().await;
    let session = app.create(PATH, json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    let problem = app.acknowledge(&session).await;
    let problem = problem.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
    assert_failed(&app, &session, "dataset-exists").await;
    assert_eq!(app.bucket.get(KEY).await, b"from another program");

    let again = app.acknowledge(&session).await;
    let again = again.expect_problem(409, "invalid-status");
    assert_eq!(again["upload_status"], "Error", "{again:#}");
}

#[tokio::test]
async fn foreign_object_leaves_overwriting_upload_pending() {
    let app = App::start().await;
    app.bucket.put(KEY, "from another program").await;
    let session = app.create(PATH, json!({"overwrite": true})).await;
    app.acknowledge(&session)
        .await
        .expect_problem(409, "object-missing");
    assert_eq!(app.read(&session).await["status"], "Pending");
    assert!(app.event_types(&session).await.is_empty());

    app.put(&session, "its own").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
    // The foreign program replaces the object again: the proof of the past stays valid.
    app.bucket.put(KEY, "from another program").await;
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn acknowledge_names_every_attribute_that_differs() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    for (declared, content_type, expected) in [
        (
            json!({"size": 8}),
            "text/csv",
            json!([{"field": "size", "expected": "8 bytes", "found": "9 bytes"}]),
        ),
        (
            json!({"content_type": "text/html"}),
            "text/csv",
            json!([{"field": "content_type", "expected": "text/html", "found": "text/csv"}]),
        ),
        (
            json!({"size": 10, "content_type": "text/html"}),
            "text/plain",
            json!([
                {"field": "size", "expected": "10 bytes", "found": "9 bytes"},
                {"field": "content_type", "expected": "text/html", "found": "text/plain"},
            ]),
        ),
    ] {
        let session = app.create(PATH, declared).await;
        app.bucket
            .put_as(id(&session), KEY, "123456789", content_type)
            .await;
        let problem = app.acknowledge(&session).await;
        let problem = problem.expect_problem(422, "object-mismatch");
        assert_eq!(problem["mismatches"], expected, "{problem:#}");
        for one in expected.as_array().unwrap() {
            for part in ["expected", "found"] {
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.contains(one[part].as_str().unwrap()), "{detail}");
            }
        }
        assert_failed(&app, &session, "object-mismatch").await;
        let reply = app.delete(&format!("/uploads/{}", id(&session))).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
        assert!(app.bucket.head(KEY).await.is_none(), "its own object goes");
    }

    let session = app.create(PATH, json!({"checksum": checksum})).await;
    put_with_checksum(&app, id(&session), "123456780").await;
    let problem = app.acknowledge(&session).await;
    let problem = problem.expect_problem(422, "object-mismatch");
    let mismatch = &problem["mismatches"][0];
    assert_eq!(mismatch["field"], "checksum", "{problem:#}");
    assert!(mismatch["expected"].as_str().unwrap().contains(SHA256));
    let found = "Qt0Kf9y0eq0Pa9mNo5xCumDADcDgH8ujYZXCO38ZFD0=";
    assert!(mismatch["found"].as_str().unwrap().contains(found));
    assert_failed(&app, &session, "object-mismatch").await;
    for (field, times) in [("size", 2.0), ("content_type", 2.0), ("checksum", 1.0)] {
        let failures = format!(r#"verification_failures_total{{reason="{field}"}}"#);
        assert_eq!(app.metric(&failures).await, times, "{field}");
    }
}

/// Asserts that the row is in Error with this code, and that the upload's history has the event.
async fn assert_failed(app: &App, session: &Value, code: &str) {
    let now = app.read(session).await;
    assert_eq!(now["status"], "Error", "{now:#}");
    assert_eq!(now["error"]["code"], code, "{now:#}");
    assert!(now["error"]["detail"].is_string(), "{now:#}");
    for nothing in ["object", "verification", "uploaded_at"] {
        assert_eq!(now[nothing], Value::Null, "{nothing} of {now:#}");
    }
    assert_eq!(app.event_types(session).await, ["upload.failed"]);
    let event = app.events(session).await.remove(0);
    assert_eq!(event["data"]["error"], now["error"], "{event:#}");
    assert_eq!(event["published_at"], Value::Null, "{event:#}");
}

async fn put_with_checksum(app: &App, id: &str, bytes: &'static str) {
    let put = app.bucket.client.put_object().bucket(&app.bucket.name);
    let put = put.key(KEY).content_type("text/csv");
    put.metadata("upload-id", id)
        .checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Sha256)
        .body(bytes.as_bytes().to_vec().into())
        .send()
        .await
        .expect("an object");
}
