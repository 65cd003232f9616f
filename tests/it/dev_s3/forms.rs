//! POST forms, as sent by a page without scripts: the policy is signed and not the request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use upload_broker::dev::s3::EventName;

use super::{BUCKET, KEY, REGION, SECRET, TestStore, now, refusal};

const BOUNDARY: &str = "the-boundary";

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The fields of a form that permits `form/k` with at most ten bytes.
fn fields() -> Vec<(&'static str, String)> {
    let now = DateTime::<Utc>::from(now());
    let (day, stamp) = (
        now.format("%Y%m%d").to_string(),
        now.format("%Y%m%dT%H%M%SZ").to_string(),
    );
    let credential = format!("{KEY}/{day}/{REGION}/s3/aws4_request");
    let expiration = (now + TimeDelta::hours(1))
        .format("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string();
    let conditions = serde_json::json!([
        {"bucket": BUCKET}, {"key": "form/k"}, ["content-length-range", 1, 10],
        {"x-amz-algorithm": "AWS4-HMAC-SHA256"}, {"x-amz-credential": credential}, {"x-amz-date": stamp},
    ]);
    let policy = serde_json::json!({"expiration": expiration, "conditions": conditions});
    let policy = STANDARD.encode(policy.to_string());
    let mut key = hmac(format!("AWS4{SECRET}").as_bytes(), &day);
    for step in [REGION, "s3", "aws4_request"] {
        key = hmac(&key, step);
    }
    let signature = hex::encode(hmac(&key, &policy));
    vec![
        ("key", "form/k".to_owned()),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("x-amz-credential", credential),
        ("x-amz-date", stamp),
        ("policy", policy),
        ("x-amz-signature", signature),
    ]
}

async fn post(store: &TestStore, fields: &[(&str, String)], file: &str) -> reqwest::Response {
    let part = |name: &str, value: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n")
    };
    let mut body: String = fields
        .iter()
        .map(|(name, value)| part(&format!("\"{name}\""), value))
        .collect();
    body.push_str(&part("\"file\"; filename=\"f.txt\"", file));
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    let post = store.http.post(format!("http://{}/{BUCKET}", store.addr));
    let post = post.header(
        "content-type",
        format!("multipart/form-data; boundary={BOUNDARY}"),
    );
    post.body(body).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn form_with_signed_policy_creates_object() {
    let store = TestStore::start().await;
    let response = post(&store, &fields(), "hello").await;
    assert_eq!(response.status(), 204, "{:?}", response.text().await);
    assert_eq!(store.read("form/k").await.as_deref(), Some(&b"hello"[..]));
    let events = store.events.lock().unwrap();
    assert_eq!(events[0].name, EventName::CreatedPost);
}

#[tokio::test(flavor = "multi_thread")]
async fn form_that_violates_its_policy_is_rejected() {
    let store = TestStore::start().await;
    let long = post(&store, &fields(), "eleven byte").await;
    assert_eq!(refusal(long).await, (400, "EntityTooLarge".to_owned()));
    let mut other = fields();
    other[0].1 = "form/other".to_owned();
    let other = refusal(post(&store, &other, "hello").await).await;
    // S3 answers 403 AccessDenied here; this is the answer of s3s.
    assert_eq!(other, (400, "InvalidPolicyDocument".to_owned()));
    let mut forged = fields();
    forged[5].1 = "0".repeat(64);
    let forged = refusal(post(&store, &forged, "hello").await).await;
    assert_eq!(forged, (403, "SignatureDoesNotMatch".to_owned()));
    let anonymous = post(&store, &fields()[..1], "hello").await;
    assert_eq!(refusal(anonymous).await, (403, "AccessDenied".to_owned()));
    store.assert_untouched().await;
}
