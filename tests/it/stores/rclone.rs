//! rclone in front of a folder: a store that ignores every condition and returns checksums that it
//! has not verified.

use reqwest::StatusCode;
use serde_json::json;

use super::{AUTO, known_abilities, setup_with_detection};
use crate::support::app::App;
use crate::support::cloud::Bucket;
use crate::support::real_stores;
use crate::support::serving::Place;

const SHA256: &str = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";

async fn app() -> App {
    let app = setup_with_detection()
        .at(real_stores::rclone())
        .start()
        .await;
    let known = known_abilities(&app).await;
    let expected = json!({
        "put_if_none_match": "no",
        "put_if_match": "no",
        "complete_if_none_match": "no",
        "delete_if_match": "no",
        "checksums": "no",
        "head_checksums": "yes",
    });
    assert_eq!(known, expected);
    app
}

/// The store keeps other bytes and returns the declared checksum for them.
#[tokio::test]
async fn echoed_checksum_gives_level_size_only() {
    let app = app().await;
    let declared = json!({"size": 5, "checksum": {"algorithm": "SHA256", "value": SHA256}});
    let session = app.create("a.csv", declared).await;
    app.put(&session, "wrong").await.expect_ok();
    let head = app.bucket.client.head_object().bucket(&app.bucket.name);
    let head = head.checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled);
    let head = head.key("a.csv").send().await.expect("an object");
    assert_eq!(
        head.checksum_sha256(),
        Some(SHA256),
        "it has learnt to check"
    );
    let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(proven["verification"]["level"], "size", "{proven:#}");
    assert_eq!(proven["object"]["checksum"], json!(null), "{proven:#}");
    let dataset = app.get("/datasets/a.csv").await.expect(StatusCode::OK);
    assert_eq!(dataset["checksum"], json!(null), "{dataset:#}");
}

#[tokio::test]
async fn existing_objects_are_protected_without_store_conditions() {
    let app = app().await;
    app.bucket.put("there.csv", "another program's").await;
    let refused = app.post("/uploads", json!({"path": "there.csv"})).await;
    refused.expect_problem(409, "dataset-exists");
    let session = app.create("a.csv", json!({})).await;
    assert!(
        session["upload"]["headers"].get("if-none-match").is_none(),
        "{session:#}"
    );
    app.put(&session, "one").await.expect_ok();
    let first = app.acknowledge(&session).await.expect(StatusCode::OK);
    let body = json!({"path": "a.csv", "if_match": first["object"]["etag"]});
    let refused = app.post("/uploads", body).await;
    let problem = refused.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/if_match", "{problem:#}");

    // The ETags in its listings have no quotes, which is no drift. A second write with an old URL
    // is drift.
    let list = app
        .get("/datasets?include=upload")
        .await
        .expect(StatusCode::OK);
    assert!(list[0].get("drifted").is_none(), "{list:#}");
    app.put(&session, "two").await.expect_ok();
    let list = app
        .get("/datasets?include=upload")
        .await
        .expect(StatusCode::OK);
    assert_eq!(list[0]["drifted"], true, "{list:#}");
}

/// The answer of rclone to CreateMultipartUpload differs from that of S3. No session in parts is
/// created, and the problem says that the store's answer is the cause.
#[tokio::test]
async fn multipart_session_is_rejected_and_delete_works() {
    let app = app().await;
    let in_parts = json!({"path": "one.bin", "multipart": true, "size": 5});
    let refused = app.post("/uploads", in_parts).await;
    let problem = refused.expect_problem(503, "service-unavailable");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("cannot be read"), "{problem:#}");

    app.upload("one.bin", "bytes", json!({"size": 5})).await;
    app.bucket.put("late.bin", "standing").await;
    app.delete("/datasets/one.bin").await.expect_ok();
    assert_eq!(app.bucket.keys().await, ["late.bin"]);
}

/// The doctor reports what the store does not support, with the answers that show it and the
/// consequences.
#[tokio::test]
async fn doctor_reports_missing_abilities_and_leaves_no_objects() {
    let endpoint = format!("http://{}", real_stores::rclone());
    let place = Place {
        bucket: Bucket::at(&endpoint).await,
        ..Place::new().await
    };
    let run = place.run(&["doctor"]).set("AWS_ENDPOINT_URL_S3", &endpoint);
    let run = AUTO
        .into_iter()
        .fold(run, |run, name| run.set(name, "auto"));
    let ended = run.finish().await;
    for words in [
        "warning      conditional-writes  the store does not honour If-None-Match on PUT",
        "with an object at the key: success",
        "warning      checksums           the store accepts bytes that do not match the signed SHA-256",
        "proofs are at most of the level `size`",
    ] {
        assert!(ended.out.contains(words), "no {words:?} in {}", ended.out);
    }
    let alarm = "multipart uploads cannot be listed";
    assert!(!ended.out.contains(alarm), "{}", ended.out);
    assert_eq!(place.bucket.keys().await, [""; 0], "{}", ended.out);
}
