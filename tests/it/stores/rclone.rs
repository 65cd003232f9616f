//! rclone in front of a folder: a store that ignores every condition, and returns checksums that it
//! has not checked.

use reqwest::StatusCode;
use serde_json::json;

use super::{AUTO, curious, known};
use crate::support::app::App;
use crate::support::cloud::Bucket;
use crate::support::real;
use crate::support::serving::Place;

const SHA256: &str = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";

async fn app() -> App {
    let app = curious().at(real::rclone()).start().await;
    let known = known(&app).await;
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

/// The store keeps other bytes and says that they have the promised checksum.
#[tokio::test]
async fn a_checksum_that_it_echoes_is_no_proof() {
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
async fn nothing_that_stands_there_is_promised_away() {
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

    // Its ETags have no quotes in a listing, which is no drift; a second write by an old URL is.
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

/// Its answer to CreateMultipartUpload is not that of S3: no session in parts is handed out, and the
/// refusal says whose fault it is.
#[tokio::test]
async fn a_session_in_parts_is_refused_and_a_delete_removes() {
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

/// It says what the store does not do, with the answers that show it, and what that costs.
#[tokio::test]
async fn the_doctor_says_what_it_lacks_and_leaves_nothing() {
    let endpoint = format!("http://{}", real::rclone());
    let place = Place {
        bucket: Bucket::at(&endpoint).await,
        ..Place::new().await
    };
    let run = place.run(&["doctor"]).set("AWS_ENDPOINT_URL_S3", &endpoint);
    let run = AUTO
        .into_iter()
        .fold(run, |run, name| run.set(name, "auto"));
    let ended = run.end().await;
    for words in [
        "warning      conditional-writes  the store does not honour If-None-Match on PUT",
        "with an object at the key: success",
        "warning      checksums           bytes with another SHA-256",
        "proofs are no better than `size`",
    ] {
        assert!(ended.out.contains(words), "no {words:?} in {}", ended.out);
    }
    let alarm = "multipart uploads cannot be listed";
    assert!(!ended.out.contains(alarm), "{}", ended.out);
    assert_eq!(place.bucket.keys().await, [""; 0], "{}", ended.out);
}
