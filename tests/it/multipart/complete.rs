//! Parts become an object exactly once and do not replace another one, or they are aborted.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use upload_broker::domain::checksum::{Algorithm, Checksum};
use upload_broker::objects::multipart::{CompleteMultipart, Completion};
use upload_broker::objects::sign::Precondition;
use uuid::Uuid;

use super::scene::{KEY, Scene, UPLOAD_ID, completion};
use crate::support::gate::Gate;

#[tokio::test]
async fn complete_makes_the_declared_object_of_two_parts() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    // Parts arrive out of order, and one of them twice.
    for (number, body) in [(2, " and the second"), (1, "old"), (1, "the first")] {
        scene.part(&upload, number, body).await;
    }
    let parts = scene.parts(&upload).await;
    let sizes: Vec<_> = parts.iter().map(|part| (part.number, part.size)).collect();
    assert_eq!(sizes, [(1, 9), (2, 15)]);
    assert!(scene.store.head(KEY).await.unwrap().is_none(), "not yet");

    let done = scene.complete(&upload, &parts, Precondition::Absent).await;
    let found = scene.store.head(KEY).await.unwrap().expect("the object");
    assert!(found.etag.ends_with("-2\""), "of two parts: {}", found.etag);
    let (etag, version_id) = (found.etag, None);
    assert_eq!(done, Completion::Done { etag, version_id });
    assert_eq!(found.size, 24);
    assert_eq!(found.content_type.as_deref(), Some("text/csv"));
    assert_eq!(found.upload_id, Some(UPLOAD_ID.parse::<Uuid>().unwrap()));
    let bytes = scene.bucket.get(KEY).await;
    assert_eq!(String::from_utf8_lossy(&bytes), "the first and the second");
    let head = scene.bucket.head(KEY).await.unwrap();
    assert_eq!(head.cache_control(), Some("no-store"));

    let gone = scene.store.all_parts(KEY, &upload).await.unwrap();
    assert_eq!(gone, None, "the upload ended with it");
}

#[tokio::test]
async fn failed_precondition_keeps_existing_object_and_the_parts() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "late").await;
    let parts = scene.parts(&upload).await;
    let nothing = Precondition::Matches("\"0123456789abcdef0123456789abcdef\"");
    let outcome = scene.complete(&upload, &parts, nothing).await;
    assert_eq!(outcome, Completion::PreconditionFailed, "nothing to match");

    scene.bucket.put(KEY, "meanwhile").await;
    for precondition in [Precondition::Absent, nothing] {
        let outcome = scene.complete(&upload, &parts, precondition).await;
        assert_eq!(outcome, Completion::PreconditionFailed, "{precondition:?}");
        assert_eq!(scene.bucket.get(KEY).await, b"meanwhile");
    }
    assert_eq!(
        scene.parts(&upload).await,
        parts,
        "the parts are still there"
    );

    let standing = scene.store.head(KEY).await.unwrap().unwrap().etag;
    let outcome = scene.complete(&upload, &parts, Precondition::Matches(&standing));
    assert!(matches!(outcome.await, Completion::Done { .. }));
    assert_eq!(scene.bucket.get(KEY).await, b"late");
}

#[tokio::test]
async fn complete_rejects_replaced_missing_and_longer_parts() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;

    let mut replaced = parts.clone();
    replaced[0].etag = "\"0123456789abcdef0123456789abcdef\"".into();
    let mut missing = parts.clone();
    missing[0].number = 2;
    let mut longer = parts.clone();
    longer[0].size += 1;
    for (parts, code) in [
        (replaced, "InvalidPart"),
        (missing, "InvalidPart"),
        (longer, "InvalidRequest"),
    ] {
        let outcome = scene.complete(&upload, &parts, Precondition::None).await;
        assert_eq!(outcome, Completion::Refused { code }, "{parts:?}");
    }
    assert!(scene.store.head(KEY).await.unwrap().is_none());
}

#[tokio::test]
async fn complete_rejects_wrong_part_checksum_and_makes_composite_checksum() {
    let scene = Scene::new().await;
    let upload = scene.begin(Some(Algorithm::Sha256)).await;
    scene.part(&upload, 1, "123456789").await;
    let right = scene.parts(&upload).await;
    let mut wrong = right.clone();
    let other = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    wrong[0].checksum = Some(Checksum::new(Algorithm::Sha256, other).unwrap());
    let complete = async |parts| {
        let complete = CompleteMultipart {
            part_checksums: Some(Algorithm::Sha256),
            ..completion(&upload, parts, Precondition::Absent)
        };
        scene.store.complete_multipart(&complete).await.unwrap()
    };
    let code = "InvalidPart";
    assert_eq!(complete(&wrong).await, Completion::Refused { code });
    assert!(matches!(complete(&right).await, Completion::Done { .. }));
    // It is a composite checksum, made of the checksums of the parts.
    let found = scene.store.head(KEY).await.unwrap().unwrap();
    let digest = STANDARD.decode(right[0].checksum.as_ref().unwrap().value());
    let whole = STANDARD.encode(Sha256::digest(digest.unwrap()));
    let whole = Checksum::new(Algorithm::Sha256, &whole).unwrap();
    assert_eq!(found.checksums, [whole.into_composite(1)]);
}

#[tokio::test]
async fn abort_can_be_repeated_and_ends_the_upload() {
    let scene = Scene::new().await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    for _ in 0..2 {
        scene.store.abort_multipart(KEY, &upload).await.unwrap();
        assert_eq!(scene.store.all_parts(KEY, &upload).await.unwrap(), None);
    }
    let never = "never-begun";
    scene.store.abort_multipart(KEY, never).await.unwrap();
    let outcome = scene.complete(&upload, &parts, Precondition::None).await;
    assert_eq!(outcome, Completion::NoSuchUpload);
    assert!(scene.store.head(KEY).await.unwrap().is_none());
}

#[tokio::test]
async fn store_outage_is_an_error_and_no_outcome() {
    let gate = Gate::new(crate::support::cloud::address());
    let scene = Scene::at(&gate.endpoint()).await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    gate.close().await;
    let complete = CompleteMultipart {
        timeout: Duration::from_secs(1),
        ..completion(&upload, &parts, Precondition::None)
    };
    let error = scene.store.complete_multipart(&complete).await.unwrap_err();
    assert_eq!(error.to_string(), "S3 CompleteMultipartUpload failed");
    let error = scene.store.abort_multipart(KEY, &upload).await.unwrap_err();
    assert_eq!(error.to_string(), "S3 AbortMultipartUpload failed");
    assert!(scene.store.all_parts(KEY, &upload).await.is_err());
}
