//! Checksums of parts and of the completed object, for each way in which an upload can declare
//! them.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::*;

/// The HeadObject answer of the store, with checksums.
async fn head(store: &TestStore) -> HeadObjectOutput {
    let head = store.s3.head_object().bucket(BUCKET).key(KEY);
    let head = head.checksum_mode(ChecksumMode::Enabled).send();
    head.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_without_declared_checksum_gets_crc64nvme_of_full_object() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let first = upload.send(1, vec![7; FIVE_MIB]).await;
    let parts = vec![first, upload.send(2, b"tail".to_vec()).await];
    store.put("whole", &whole()).await;
    let expected = crc_of(&whole(), crc_fast::CrcAlgorithm::Crc64Nvme, 8);

    let wrong = upload
        .complete(parts.clone())
        .checksum_crc64_nvme("AAAAAAAAAAA=");
    assert_eq!(code(wrong).await, "BadDigest");
    assert_eq!(store.read(KEY).await, None, "the refused one is no object");
    let other = upload.complete(parts.clone()).checksum_crc32("AAAAAA==");
    assert_eq!(
        code(other).await,
        "InvalidRequest",
        "not what the upload has"
    );
    let short = upload.complete(parts.clone()).mpu_object_size(5);
    assert_eq!(code(short).await, "InvalidRequest", "another size");
    let composite = upload
        .complete(parts.clone())
        .checksum_type(ChecksumType::Composite);
    assert_eq!(code(composite).await, "InvalidRequest", "another type");

    let complete = upload.complete(parts).checksum_crc64_nvme(&expected);
    let size = i64::try_from(whole().len()).unwrap();
    let done = complete.mpu_object_size(size).send().await.unwrap();
    assert_eq!(done.checksum_crc64_nvme(), Some(expected.as_str()));
    assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
    let head = head(&store).await;
    assert_eq!(head.checksum_crc64_nvme(), Some(expected.as_str()));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_full_object_crc32_is_computed() {
    let store = TestStore::start().await;
    let declared = (ChecksumAlgorithm::Crc32, Some(ChecksumType::FullObject));
    let upload = declaring(&store, declared).await;
    let first = upload.send(1, vec![7; FIVE_MIB]).await;
    let parts = vec![first, upload.send(2, b"tail".to_vec()).await];
    let done = upload.finish(parts).await;
    let expected = crc_of(&whole(), crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4);
    assert_eq!(done.checksum_crc32(), Some(expected.as_str()));
    assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_sha256_is_composite_of_part_digests() {
    let store = TestStore::start().await;
    let upload = declaring(&store, (ChecksumAlgorithm::Sha256, None)).await;
    let digests = [Sha256::digest(vec![7; FIVE_MIB]), Sha256::digest(b"tail")];
    let composite = STANDARD.encode(Sha256::digest(digests.concat()));
    let bare = upload.part(1, b"x".to_vec()).checksum_crc32("jNIG5Q==");
    let bare = bare.send().await.unwrap_err();
    assert_eq!(
        bare.code(),
        Some("InvalidRequest"),
        "another algorithm: {bare:?}"
    );

    let mut parts = Vec::new();
    for (number, bytes) in [(1, vec![7; FIVE_MIB]), (2, b"tail".to_vec())] {
        let value = STANDARD.encode(Sha256::digest(&bytes));
        let sent = upload
            .part(number, bytes)
            .checksum_sha256(&value)
            .send()
            .await;
        let sent = sent.unwrap();
        assert_eq!(sent.checksum_sha256(), Some(value.as_str()));
        parts.push(named(number, &sent));
    }
    let unnamed: Vec<_> = parts
        .iter()
        .map(|part| with_etag(part.part_number().unwrap(), part.e_tag().unwrap()))
        .collect();
    assert_eq!(
        upload.refused(unnamed).await,
        "InvalidRequest",
        "each part's must be named"
    );
    let mut swapped = parts.clone();
    swapped[1] = CompletedPart::builder()
        .part_number(2)
        .set_e_tag(parts[1].e_tag().map(str::to_owned))
        .set_checksum_sha256(parts[0].checksum_sha256().map(str::to_owned))
        .build();
    assert_eq!(
        upload.refused(swapped).await,
        "InvalidPart",
        "another part's digest"
    );
    let wrong = upload
        .complete(parts.clone())
        .checksum_sha256(format!("{}-2", STANDARD.encode([0; 32])));
    assert_eq!(code(wrong).await, "BadDigest");

    let expected = format!("{composite}-2");
    let done = upload
        .complete(parts)
        .checksum_sha256(&expected)
        .send()
        .await
        .unwrap();
    assert_eq!(done.checksum_sha256(), Some(expected.as_str()));
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
    let head = head(&store).await;
    assert_eq!(head.checksum_sha256(), Some(expected.as_str()));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::Composite));
}

#[tokio::test(flavor = "multi_thread")]
async fn incompatible_checksum_algorithm_and_type_are_rejected() {
    let store = TestStore::start().await;
    for (algorithm, kind) in [
        (Some(ChecksumAlgorithm::Sha256), ChecksumType::FullObject),
        (Some(ChecksumAlgorithm::Sha1), ChecksumType::FullObject),
        (Some(ChecksumAlgorithm::Crc64Nvme), ChecksumType::Composite),
        (None, ChecksumType::FullObject),
    ] {
        let create = store.s3.create_multipart_upload().bucket(BUCKET).key(KEY);
        let create = create
            .set_checksum_algorithm(algorithm.clone())
            .checksum_type(kind.clone());
        let error = create.send().await.unwrap_err();
        assert_eq!(
            error.code(),
            Some("InvalidRequest"),
            "{algorithm:?} {kind:?}"
        );
    }
}

async fn declaring(
    store: &TestStore,
    declared: (ChecksumAlgorithm, Option<ChecksumType>),
) -> Upload<'_> {
    let create = store.s3.create_multipart_upload().bucket(BUCKET).key(KEY);
    let create = create
        .checksum_algorithm(declared.0)
        .set_checksum_type(declared.1);
    let made = create.send().await.expect("an upload");
    let id = made.upload_id().expect("its id").to_owned();
    Upload { store, id }
}

fn whole() -> Vec<u8> {
    [vec![7; FIVE_MIB], b"tail".to_vec()].concat()
}

/// A CRC in S3's form: the low `width` bytes in big-endian order.
fn crc_of(bytes: &[u8], algorithm: crc_fast::CrcAlgorithm, width: usize) -> String {
    let crc = crc_fast::checksum(algorithm, bytes).to_be_bytes();
    STANDARD.encode(&crc[8 - width..])
}
