//! The URL of a part accepts only that part, with exactly the signed length and checksum, until it
//! expires.

use chrono::TimeDelta;
use upload_broker::domain::checksum::Algorithm;
use upload_broker::objects::sign::{Checksum, UploadPart};

use super::scene::Scene;
use crate::support::app::now;

const BYTES: &str = "123456789";
/// The SHA-256 check value of the nine bytes.
const SHA256: Checksum<'static> = Checksum {
    header: "x-amz-checksum-sha256",
    value: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
};
const PART: UploadPart<'static> = UploadPart {
    number: 2,
    size: 9,
    checksum: None,
};

fn refused() -> (u16, String) {
    (403, "SignatureDoesNotMatch".into())
}

#[tokio::test]
async fn part_url_rejects_other_length_and_other_part_number() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    let url = scene.url(&upload, &PART, now());
    for body in ["", "12345678", "1234567890"] {
        assert_eq!(scene.send(&url, &[], body).await, refused(), "{body:?}");
    }
    let other = url.replace("partNumber=2", "partNumber=3");
    assert_eq!(scene.send(&other, &[], BYTES).await, refused());
    assert_eq!(scene.parts(&upload).await, [], "nothing was kept");

    // The URL works as often as one likes until it expires. The last bytes count.
    for body in ["987654321", BYTES] {
        assert_eq!(scene.send(&url, &[], body).await.0, 200);
    }
    let parts = scene.parts(&upload).await;
    let found: Vec<_> = parts.iter().map(|part| (part.number, part.size)).collect();
    assert_eq!(found, [(2, 9)]);
    // The MD5 of the bytes, from `printf 123456789 | md5sum`.
    assert_eq!(parts[0].etag, "\"25f9e794323b453885f5181f1b624d0b\"");
}

#[tokio::test]
async fn expired_part_url_is_rejected() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    let url = scene.url(&upload, &PART, now() - TimeDelta::hours(1));
    let sent = scene.send(&url, &[], BYTES).await;
    assert_eq!(sent, (403, "AccessDenied".into()));
    assert_eq!(scene.parts(&upload).await, []);
}

#[tokio::test]
async fn part_url_with_checksum_rejects_other_bytes_and_other_checksum() {
    let scene = Scene::new().await;
    let upload = scene.begin(Some(Algorithm::Sha256)).await;
    let part = UploadPart {
        checksum: Some(SHA256),
        ..PART
    };
    let url = scene.url(&upload, &part, now());
    let right = [(SHA256.header, SHA256.value)];
    let bad = scene.send(&url, &right, "123456780").await;
    assert_eq!(bad, (400, "BadDigest".into()));
    let other = [(
        SHA256.header,
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    )];
    assert_eq!(scene.send(&url, &other, BYTES).await, refused());
    assert_eq!(scene.send(&url, &[], BYTES).await.0, 403, "no header");
    assert_eq!(scene.parts(&upload).await, [], "nothing was kept");

    assert_eq!(scene.send(&url, &right, BYTES).await.0, 200);
    let parts = scene.parts(&upload).await;
    let checksum = parts[0].checksum.as_ref().expect("a checksum");
    let found = (checksum.algorithm(), checksum.value());
    assert_eq!(found, (Algorithm::Sha256, SHA256.value));
}
