//! Encryption at rest is requested with every upload and verified by acknowledge.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, Setup};
use crate::support::reply::Reply;
use crate::support::serving::Place;
use crate::support::store::Store;

const ALGORITHM: &str = "x-amz-server-side-encryption";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d";

async fn kms() -> App {
    Setup::new()
        .set("BROKER_S3_SSE", "aws:kms")
        .set("BROKER_S3_SSE_KMS_KEY_ID", ARN)
        .set("BROKER_S3_SSE_BUCKET_KEY", "true")
        .start()
        .await
}

/// The encryption of the object at `key`: its algorithm and its key.
async fn at_rest(app: &App, key: &str) -> (Option<String>, Option<String>) {
    let head = app.bucket.head(key).await.expect("an object");
    let algorithm = head.server_side_encryption();
    let algorithm = algorithm.map(|algorithm| algorithm.as_str().to_owned());
    (algorithm, head.ssekms_key_id().map(str::to_owned))
}

/// Uploads and acknowledges a dataset of two parts.
async fn in_parts(app: &App, path: &str) {
    let bytes = vec![7; 5 * 1024 * 1024 + 1];
    let more = json!({"size": bytes.len(), "multipart": true, "part_size": 5 * 1024 * 1024});
    let session = app.create(path, more).await;
    for part in session["multipart"]["parts"].as_array().expect("parts") {
        // Encryption is requested once, when the multipart upload is created.
        assert_eq!(part["headers"], json!({}), "{part:#}");
        let number = |name: &str| part[name].as_u64().expect("a number") as usize;
        let (offset, size) = (number("offset"), number("size"));
        let url = part["url"].as_str().expect("a URL");
        let put = app
            .http
            .put(url)
            .body(bytes[offset..offset + size].to_vec());
        Reply::of(put).await.expect_ok();
    }
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn upload_requires_signed_encryption_header_and_is_encrypted() {
    let store = Store::start().await;
    for setup in [Setup::new(), Setup::new().store(&store)] {
        let app = setup.set("BROKER_S3_SSE", "AES256").start().await;
        let session = app.create("/data/a.csv", json!({})).await;
        let headers = session["upload"]["headers"].as_object().expect("headers");
        assert_eq!(headers[ALGORITHM], "AES256", "{session:#}");
        assert!(!headers.contains_key(KEY), "{session:#}");

        let mut without = session.clone();
        let fewer = without["upload"]["headers"].as_object_mut();
        fewer.expect("headers").remove(ALGORITHM);
        let refused = app.put(&without, "a").await;
        assert!(refused.status.is_client_error(), "{refused:#?}");
        assert!(app.bucket.head("data/a.csv").await.is_none());

        app.put(&session, "a").await.expect_ok();
        app.acknowledge(&session).await.expect(StatusCode::OK);
        let expected = (Some("AES256".to_owned()), None);
        assert_eq!(at_rest(&app, "data/a.csv").await, expected);
        in_parts(&app, "/data/large.bin").await;
        assert_eq!(at_rest(&app, "data/large.bin").await, expected);
    }
}

#[tokio::test]
async fn upload_uses_configured_kms_key_and_bucket_key() {
    let app = kms().await;
    let session = app.create("/data/a.csv", json!({})).await;
    let headers = &session["upload"]["headers"];
    for (name, value) in [(ALGORITHM, "aws:kms"), (KEY, ARN), (BUCKET_KEY, "true")] {
        assert_eq!(headers[name], value, "{session:#}");
    }
    app.put(&session, "a").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
    let expected = (Some("aws:kms".to_owned()), Some(ARN.to_owned()));
    assert_eq!(at_rest(&app, "data/a.csv").await, expected);
    in_parts(&app, "/data/large.bin").await;
    assert_eq!(at_rest(&app, "data/large.bin").await, expected);
}

#[tokio::test]
async fn acknowledge_rejects_object_with_missing_or_other_encryption() {
    let app = kms().await;
    let session = app
        .create("/data/a.csv", json!({"content_type": "text/csv"}))
        .await;
    let id = session["id"].as_str().expect("an id");
    // As in a store that ignores the request: it reports no encryption.
    app.bucket.put_as(id, "data/a.csv", "a", "text/csv").await;
    let problem = app.acknowledge(&session).await;
    let problem = problem.expect_problem(422, "object-mismatch");
    let expected = format!("aws:kms with the key {ARN}");
    let mismatch = json!([{"field": "encryption", "expected": expected, "found": "none"}]);
    assert_eq!(problem["mismatches"], mismatch, "{problem:#}");
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Error", "{now:#}");
    assert_eq!(now["error"]["code"], "object-mismatch", "{now:#}");

    // Encrypted with another key.
    let session = app
        .create("/data/b.csv", json!({"content_type": "text/csv"}))
        .await;
    let id = session["id"].as_str().expect("an id");
    let put = app.bucket.client.put_object().bucket(&app.bucket.name);
    let put = put.key("data/b.csv").metadata("upload-id", id);
    let put = put
        .content_type("text/csv")
        .server_side_encryption("aws:kms".into())
        .ssekms_key_id("another");
    put.send().await.expect("an object");
    let problem = app.acknowledge(&session).await;
    let problem = problem.expect_problem(422, "object-mismatch");
    let found = &problem["mismatches"][0]["found"];
    assert_eq!(*found, "aws:kms with the key another", "{problem:#}");
}

#[tokio::test]
async fn upload_has_no_encryption_header_without_setting() {
    let app = App::start().await;
    let session = app.create("/data/a.csv", json!({})).await;
    let headers = session["upload"]["headers"].as_object().expect("headers");
    assert!(
        headers.keys().all(|name| !name.contains("encryption")),
        "{session:#}"
    );
}

/// The row stores the encryption that its URL requests.
#[tokio::test]
async fn pending_upload_keeps_encryption_of_its_creation() {
    let place = Place::new().await;
    let (process, caller) = place.start(place.serve()).await;
    let session = caller.create("/data/a.csv").await;
    process.stop("TERM").await.ok();

    let run = place.serve().set("BROKER_S3_SSE", "AES256");
    let (process, caller) = place.start(run).await;
    caller.put(&session, "a").await.expect_ok();
    caller.acknowledge(&session).await.expect(StatusCode::OK);
    let later = caller.create("/data/b.csv").await;
    process.stop("TERM").await.ok();

    let (process, caller) = place.start(place.serve()).await;
    let refresh = format!(
        "/uploads/{}?refresh_urls=true",
        later["id"].as_str().expect("an id")
    );
    let again: Value = caller.get(&refresh).await.expect(StatusCode::OK);
    assert_eq!(again["upload"]["headers"][ALGORITHM], "AES256", "{again:#}");
    process.stop("TERM").await.ok();
}

/// The embedded store has no KMS: it refuses instead of storing bytes that it would call encrypted.
#[tokio::test]
async fn embedded_store_rejects_kms_encryption() {
    let store = Store::start().await;
    let app = Setup::new()
        .store(&store)
        .set("BROKER_S3_SSE", "aws:kms")
        .start()
        .await;
    let session = app.create("/data/a.csv", json!({})).await;
    let refused = app.put(&session, "a").await;
    assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED, "{refused:#?}");
    let body = json!({"path": "/data/b.bin", "size": 6_000_000, "multipart": true});
    let refused = Reply::of(app.request(Method::POST, "/uploads").json(&body)).await;
    refused.expect_problem(503, "service-unavailable");
}

#[tokio::test]
async fn contradictory_encryption_settings_are_rejected() {
    let place = Place::new().await;
    for (settings, reason) in [
        (
            vec![("BROKER_S3_SSE", "aes256")],
            "must be none, AES256 or aws:kms",
        ),
        (
            vec![
                ("BROKER_S3_SSE", "AES256"),
                ("BROKER_S3_SSE_KMS_KEY_ID", ARN),
            ],
            "unless BROKER_S3_SSE is aws:kms",
        ),
        (
            vec![("BROKER_S3_SSE_BUCKET_KEY", "true")],
            "unless BROKER_S3_SSE is aws:kms",
        ),
        (
            vec![
                ("BROKER_S3_SSE", "aws:kms"),
                ("BROKER_S3_SSE_KMS_KEY_ID", "arn:aws:s3:::a"),
            ],
            "must be a KMS key id",
        ),
    ] {
        let run = settings
            .iter()
            .fold(place.run(&["check-config"]), |run, (name, value)| {
                run.set(name, value)
            });
        run.finish().await.expect_failure(78, &[reason]);
    }
}
