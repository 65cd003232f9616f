//! The verification level never claims more than the store reported.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::replacing_proxy::ReplacingProxy;

const SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";

#[tokio::test]
async fn acknowledge_returns_object_attributes_and_verification() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    let declared = json!({"size": 9, "checksum": checksum});
    let session = app.create("data/a.csv", declared).await;
    let sent = app.put(&session, "123456789").await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    let object = &uploaded["object"];
    assert_eq!(object["size"], 9, "{uploaded:#}");
    assert_eq!(object["etag"].as_str(), sent.header("etag"), "{uploaded:#}");
    assert_eq!(object["content_type"], "text/csv", "{uploaded:#}");
    assert_eq!(object["checksum"], checksum, "{uploaded:#}");
    assert_eq!(object["version_id"], Value::Null, "{uploaded:#}");
    assert!(object["last_modified"].is_string(), "{uploaded:#}");
    let verification = &uploaded["verification"];
    let proof = json!({"level": "checksum", "by": "acknowledge", "at": uploaded["uploaded_at"]});
    assert_eq!(verification, &proof, "{uploaded:#}");
    assert_eq!(uploaded["upload"], Value::Null, "no URL any more");
    assert_eq!(uploaded["error"], Value::Null, "{uploaded:#}");
}

#[tokio::test]
async fn acknowledge_returns_version_id_in_versioned_bucket() {
    let app = App::start().await;
    app.bucket.keep_versions().await;
    let session = app.create("a.csv", json!({})).await;
    let sent = app.put(&session, "a").await.expect_ok();
    let version = sent.header("x-amz-version-id").expect("a version");
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["object"]["version_id"], version, "{uploaded:#}");
}

#[tokio::test]
async fn store_without_checksums_yields_size_or_existence_level() {
    let masked = ReplacingProxy::hiding_checksums().await;
    let app = Setup::new().s3(masked.endpoint()).start().await;
    let checksum = json!({"algorithm": "SHA256", "value": SHA256});
    for (path, mut declared, level) in [
        ("a", json!({"size": 9}), "size"),
        ("b", json!({}), "existence"),
    ] {
        declared["checksum"] = checksum.clone();
        let session = app.create(path, declared).await;
        app.put(&session, "123456789").await.expect_ok();
        let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(uploaded["verification"]["level"], level, "{uploaded:#}");
        assert_eq!(uploaded["object"]["checksum"], Value::Null, "{uploaded:#}");
        assert_eq!(uploaded["checksum"], checksum, "{uploaded:#}");
        let event = app.events(&session).await.remove(0);
        assert_eq!(event["data"]["checksum"], Value::Null, "{event:#}");
    }
}

#[tokio::test]
async fn expected_checksum_of_unstored_algorithm_does_not_raise_level() {
    let app = App::start().await;
    let session = app.create("a", json!({"size": 9})).await;
    app.put(&session, "123456789").await.expect_ok();
    // SHA-1 of other bytes: the store has no SHA-1, so it can neither prove nor refute it.
    let claimed = json!({"algorithm": "SHA1", "value": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="});
    let path = format!("/uploads/{}/acknowledge", id(&session));
    let uploaded = app.post(&path, json!({"checksum": claimed})).await;
    let uploaded = uploaded.expect(StatusCode::OK);
    assert_eq!(uploaded["verification"]["level"], "size", "{uploaded:#}");
    let kept = &uploaded["object"]["checksum"]["algorithm"];
    assert_ne!(kept, "SHA1", "{uploaded:#}");
}
