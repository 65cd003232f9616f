//! What a URL rejects: other bytes, another size, type or key, unsigned headers, and a second
//! write.

use reqwest::StatusCode;
use serde_json::json;

use super::{Put, at_both_stores};
use crate::support::app::{App, Setup};
use crate::support::store::Store;

const KEY: &str = "data/check.csv";
const BYTES: &str = "123456789";
/// The check values of the nine bytes above for each algorithm.
const CHECKSUMS: [(&str, &str); 5] = [
    ("SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ("SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
    ("CRC32", "y/Q5Jg=="),
    ("CRC32C", "4waSgw=="),
    ("CRC64NVME", "rosUhgp5mIg="),
];

at_both_stores!(
    url_rejects_other_size_type_key_and_lifetime,
    url_with_checksum_rejects_other_bytes,
    url_writes_only_once,
    url_without_size_accepts_any_size_and_acknowledge_checks_the_limit,
);

async fn assert_rejected(app: &App, what: &str, put: Put, status: u16, code: &str) {
    assert_eq!(put.send(app).await, (status, code.to_owned()), "{what}");
    assert!(
        app.bucket.head(KEY).await.is_none(),
        "{what}: refused, but the object is there"
    );
}

async fn url_rejects_other_size_type_key_and_lifetime(setup: Setup) {
    let app = setup.start().await;
    let session = app.create(KEY, json!({"size": BYTES.len()})).await;
    let put = Put::of(&session, BYTES);

    let longer = Put::of(&session, "1234567890");
    assert_rejected(&app, "one byte more", longer, 403, "SignatureDoesNotMatch").await;
    let shorter = Put::of(&session, "12345678");
    assert_rejected(&app, "one byte less", shorter, 403, "SignatureDoesNotMatch").await;
    let empty = Put::of(&session, "");
    assert_rejected(&app, "no bytes", empty, 403, "SignatureDoesNotMatch").await;

    let other_type = put.clone().with("content-type", "text/html");
    let code = "SignatureDoesNotMatch";
    assert_rejected(&app, "another type", other_type, 403, code).await;
    let id = put
        .clone()
        .with("x-amz-meta-upload-id", &uuid::Uuid::nil().to_string());
    assert_rejected(&app, "another upload's id", id, 403, code).await;
    for name in ["content-type", "if-none-match", "x-amz-meta-upload-id"] {
        let put = put.clone().without(name);
        let (status, _) = put.send(&app).await;
        assert_eq!(status, 403, "without {name}");
        assert!(app.bucket.head(KEY).await.is_none(), "without {name}");
    }

    let mut other_key = put.clone();
    let path = other_key.url.path().replace("check", "salaries");
    other_key.url.set_path(&path);
    assert_rejected(&app, "another key", other_key, 403, code).await;
    assert!(app.bucket.head("data/salaries.csv").await.is_none());
    let mut longer_life = put.clone();
    let query = longer_life.url.query().unwrap();
    let query = query.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    longer_life.url.set_query(Some(&query));
    assert_rejected(&app, "a longer life", longer_life, 403, code).await;

    app.acknowledge(&session)
        .await
        .expect_problem(409, "object-missing");
    assert_eq!(put.send(&app).await.0, 200, "as it was signed");
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

async fn url_with_checksum_rejects_other_bytes(setup: Setup) {
    let app = setup.start().await;
    for (algorithm, value) in CHECKSUMS {
        let checksum = json!({"algorithm": algorithm, "value": value});
        let more = json!({"checksum": checksum, "overwrite": true});
        let session = app.create(KEY, more).await;
        let header = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        assert_eq!(session["upload"]["headers"][&header], value, "{session:#}");

        let other = Put::of(&session, "123456780");
        assert_rejected(&app, algorithm, other, 400, "BadDigest").await;
        let bare = Put::of(&session, "123456780").without(&header);
        let (status, _) = bare.send(&app).await;
        assert_eq!(status, 403, "{algorithm}: without its header");
        assert!(app.bucket.head(KEY).await.is_none(), "{algorithm}");

        assert_eq!(
            Put::of(&session, BYTES).send(&app).await.0,
            200,
            "{algorithm}"
        );
        let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(
            uploaded["verification"]["level"], "checksum",
            "{uploaded:#}"
        );
        assert_eq!(uploaded["object"]["checksum"], checksum, "{uploaded:#}");
        let reply = app.delete("/datasets/data/check.csv").await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    }
}

async fn url_writes_only_once(setup: Setup) {
    let app = setup.start().await;
    let session = app.create(KEY, json!({})).await;
    assert_eq!(Put::of(&session, BYTES).send(&app).await.0, 200);
    // The answer was lost and the client sends the request again, although the first one has
    // arrived.
    for body in [BYTES, "something else"] {
        let again = Put::of(&session, body).send(&app).await;
        assert_eq!(again, (412, "PreconditionFailed".into()), "{body}");
    }
    assert_eq!(app.bucket.get(KEY).await, BYTES.as_bytes());
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    let late = Put::of(&session, "something else").send(&app).await;
    assert_eq!(late.0, 412, "after the acknowledge");
    assert_eq!(app.bucket.get(KEY).await, BYTES.as_bytes());
}

async fn url_without_size_accepts_any_size_and_acknowledge_checks_the_limit(setup: Setup) {
    let app = setup.set("BROKER_MAX_SIZE_BYTES", 9).start().await;
    for (path, bytes) in [("a", ""), ("b", BYTES)] {
        let uploaded = app.upload(path, bytes, json!({})).await;
        let level = &uploaded["verification"]["level"];
        assert_eq!(level, "existence", "{uploaded:#}");
        assert_eq!(uploaded["object"]["size"], bytes.len(), "{uploaded:#}");
    }
    // The store does not know the limit, but the broker does.
    let session = app.create("c", json!({})).await;
    app.put(&session, "1234567890").await.expect_ok();
    let problem = app.acknowledge(&session).await;
    problem.expect_problem(422, "size-limit-exceeded");
    let upload = app.read(&session).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], "size-limit-exceeded", "{upload:#}");
}

/// AWS rejects them too (403 AccessDenied, "There were headers present in the request which were
/// not signed"). ministack accepts them, so this test runs only against the embedded store.
#[tokio::test]
async fn url_rejects_unsigned_headers() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let session = app.create(KEY, json!({})).await;
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-owner", "somebody else"),
        ("x-amz-tagging", "price=0"),
        ("x-amz-storage-class", "GLACIER"),
    ] {
        let put = Put::of(&session, BYTES).with(name, value);
        assert_rejected(&app, name, put, 403, "AccessDenied").await;
    }
}
