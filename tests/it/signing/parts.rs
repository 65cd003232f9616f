//! The URLs of parts equal those of aws-sdk-s3's `upload_part().presigned()` byte for byte, in any
//! order of parts with and without checksums.

use proptest::collection::vec;
use proptest::prelude::*;
use upload_broker::objects::sign::{Checksum, Error, MAX_EXPIRES_IN, UploadPart};

use super::scene::{Scene, headers_of, wait};
use super::strategies::{checksum, key, scene};

type Asked = (u32, u64, Option<(&'static str, String)>);

fn asked() -> impl Strategy<Value = Asked> {
    (1_u32..=10_000, 0..=i64::MAX.unsigned_abs(), checksum())
}

/// The URL and the headers that the SDK generates.
fn theirs(
    scene: &Scene,
    key: &str,
    upload_id: &str,
    asked: &Asked,
) -> (String, Vec<(String, String)>) {
    let (number, size, checksum) = asked;
    let part = scene.client().upload_part().bucket(scene.bucket).key(key);
    let part = part
        .upload_id(upload_id)
        .part_number(i32::try_from(*number).unwrap())
        .content_length(i64::try_from(*size).unwrap());
    let part = match checksum.as_ref().map(|(header, value)| (*header, value)) {
        None => part,
        Some(("x-amz-checksum-crc32", value)) => part.checksum_crc32(value),
        Some(("x-amz-checksum-crc32c", value)) => part.checksum_crc32_c(value),
        Some(("x-amz-checksum-crc64nvme", value)) => part.checksum_crc64_nvme(value),
        Some(("x-amz-checksum-sha1", value)) => part.checksum_sha1(value),
        Some(("x-amz-checksum-sha256", value)) => part.checksum_sha256(value),
        Some((other, _)) => panic!("no such checksum: {other}"),
    };
    let presigned = wait(part.presigned(scene.presigning())).unwrap();
    (presigned.uri().to_owned(), headers_of(&presigned))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn part_urls_equal_those_of_the_sdk(
        scene in scene(),
        key in key(),
        upload_id in prop_oneof!["[ -~]{1,60}", "[A-Za-z0-9._-]{128}"],
        parts in vec(asked(), 1..4),
    ) {
        let signer = scene.signer();
        let (credentials, now) = (scene.credentials(), scene.now());
        let ours = signer.upload_parts(&key, &upload_id, scene.expires_in, &credentials, now);
        let mut ours = ours.unwrap();
        for asked in &parts {
            let (number, size, checksum) = asked;
            let checksum = checksum.as_ref().map(|(header, value)| Checksum { header, value });
            let part = UploadPart { number: *number, size: *size, checksum };
            let signed = ours.sign(&part).unwrap();
            prop_assert_eq!(signed.expires_at, ours.expires_at());
            let (url, headers) = theirs(&scene, &key, &upload_id, asked);
            prop_assert_eq!(signed.url, url);
            let mut sent = vec![("content-length".to_owned(), size.to_string())];
            sent.extend(checksum.map(|sum| (sum.header.to_owned(), sum.value.to_owned())));
            prop_assert_eq!(sent, headers);
        }
    }
}

#[test]
fn part_urls_have_the_limits_of_other_urls() {
    let scene = Scene::aws("eu-central-1", "bucket");
    let (signer, now) = (scene.signer(), scene.now());
    let refused = |expires_in| {
        let signer = signer.upload_parts("key", "id", expires_in, &scene.credentials(), now);
        signer.err()
    };
    assert_eq!(refused(0), Some(Error::ExpiresIn(0)));
    let long = MAX_EXPIRES_IN + 1;
    assert_eq!(refused(long), Some(Error::ExpiresIn(long)));

    let end = now + chrono::TimeDelta::seconds(30);
    let ending = scene.credentials_until(end);
    let parts = signer.upload_parts("key", "id", 900, &ending, now).unwrap();
    assert_eq!(parts.expires_at(), end);
    let late = signer.upload_parts("key", "id", 900, &ending, end);
    assert_eq!(late.err(), Some(Error::CredentialsExpired(end)));

    let lasting = signer.upload_parts("key", "id", 900, &scene.credentials(), now);
    let smuggled = lasting.unwrap().sign(&UploadPart {
        number: 1,
        size: 1,
        checksum: Some(Checksum {
            header: "x-amz-checksum-crc32",
            value: "a\nx-amz-acl:public-read",
        }),
    });
    let header = "x-amz-checksum-crc32".to_owned();
    assert_eq!(smuggled.err(), Some(Error::HeaderValue(header)));
}
