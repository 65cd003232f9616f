//! Stores with fewer features than S3, and stores that misbehave.

use super::scene::{Report, doctor, everything};
use crate::support::cloud::{self, Bucket};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::process::Run;
use crate::support::replacing_proxy::ReplacingProxy;
use crate::support::serving::Place;
use crate::support::store::Store;

fn at(place: &Place, store: &ReplacingProxy) -> Run {
    doctor(place).set("AWS_ENDPOINT_URL_S3", store.endpoint())
}

/// A check of a feature that the store does not have is unknown, and not a failure.
#[tokio::test]
async fn embedded_store_passes_with_unsupported_checks_unknown() {
    let store = Store::start().await;
    let place = Place {
        bucket: Bucket::at(&store.endpoint()).await,
        ..Place::new().await
    };
    let run = doctor(&place)
        .set("AWS_ENDPOINT_URL_S3", store.endpoint())
        .set("BROKER_CORS_ORIGINS", "https://app.example.com");
    let report = Report::of(run).await;
    report.code(0);
    let unknown = ["versioning", "lifecycle", "public-access"];
    assert_eq!(report.others(), unknown.map(|check| (check, "unknown")));
    report
        .says(
            "versioning",
            "unknown",
            "S3 refuses GetBucketVersioning: 501 NotImplemented",
        )
        .advises("versioning", "s3:GetBucketVersioning");
    let left = place.bucket.client.list_objects_v2();
    let left = left
        .bucket(&place.bucket.name)
        .send()
        .await
        .expect("a list");
    assert_eq!(left.contents(), []);
    assert_eq!(place.bucket.open_keys().await, [""; 0]);
}

/// A setting that requires what the store does not do is a failure. A store that does less than S3
/// is not: the report says what the broker does instead, with the statuses that show it. The advice
/// of one run is never reversed by that of the next.
#[tokio::test]
async fn ignored_conditional_writes_fail_or_warn_depending_on_settings() {
    let place = Place::new().await;
    let store = ReplacingProxy::new(&[
        (b"HTTP/1.1 412", b"HTTP/1.1 200"),
        // An error in the body of a 200 would be an error as well.
        (b"<Error", b"<Fine0"),
        (b"</Error", b"</Fine0"),
    ])
    .await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(1)
        .says("conditional-writes", "failed", "If-None-Match on PUT (")
        .says(
            "conditional-writes",
            "failed",
            "with an object at the key: success",
        )
        .says(
            "conditional-writes",
            "failed",
            "an old URL overwrites a proven dataset",
        )
        .advises("conditional-writes", "set BROKER_S3_PUT_IF_NONE_MATCH=auto")
        .says("signatures", "ok", "");
    let with =
        |run: Run, setting: &str| Report::of(run.set("BROKER_S3_CONDITIONAL_WRITES", setting));
    let report = with(at(&place, &store), "auto").await;
    report
        .code(0)
        .says(
            "conditional-writes",
            "warning",
            "a create checks whether its path is free",
        )
        .says("conditional-writes", "warning", "if_match is rejected")
        .advises("conditional-writes", "no setting helps");
    let report = with(at(&place, &store), "off").await;
    report
        .code(0)
        .says("conditional-writes", "ok", "turned off by the settings");
    let report = with(doctor(&place), "off").await;
    report
        .code(0)
        .says(
            "conditional-writes",
            "warning",
            "although the store honours it",
        )
        .advises("conditional-writes", "BROKER_S3_PUT_IF_NONE_MATCH=auto");
    let report = with(doctor(&place), "auto").await;
    report
        .code(0)
        .says("conditional-writes", "ok", "If-Match on DELETE is honoured");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

#[tokio::test]
async fn store_that_reports_no_checksums_is_a_warning() {
    let place = Place::new().await;
    let store = ReplacingProxy::hiding_checksums().await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(0)
        .says(
            "checksums",
            "warning",
            "proofs are at most of the level `size`",
        )
        .says("multipart", "warning", "no CRC64NVME");
}

#[tokio::test]
async fn store_that_does_not_verify_checksums_fails() {
    let place = Place::new().await;
    let store = ReplacingProxy::new(&[(b"HTTP/1.1 400", b"HTTP/1.1 200")]).await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(1)
        .says("checksums", "failed", "do not match the signed SHA-256")
        .advises("checksums", "x-amz-checksum-sha256");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// Without checksums there is no proof by checksum: the report names the setting that disables
/// them.
#[tokio::test]
async fn checksums_disabled_by_settings_are_a_warning() {
    let place = Place::new().await;
    for setting in ["BROKER_S3_CHECKSUMS", "BROKER_S3_HEAD_CHECKSUMS"] {
        let report = Report::of(doctor(&place).set(setting, "off")).await;
        report
            .code(0)
            .says("checksums", "warning", &format!("{setting}=off"))
            .advises("checksums", &format!("{setting}=auto"));
    }
}

/// Some test doubles of S3, such as moto, accept any signature.
#[tokio::test]
async fn store_that_does_not_verify_signatures_fails() {
    let place = Place::new().await;
    let store = ReplacingProxy::new(&[(b"HTTP/1.1 403", b"HTTP/1.1 200")]).await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(1)
        .says("signatures", "failed", "wrong signature");
}

/// What S3 answers when a right is missing.
const DENIED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\n\
    connection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>";

/// The role lacks one right: the check fails or is unknown, and names the right.
#[tokio::test]
async fn missing_right_is_named_by_its_check() {
    let place = Place::new().await;
    for (request, code, check, state, why, fix) in [
        (
            "PUT /",
            1,
            "signatures",
            "failed",
            "403 AccessDenied",
            "s3:PutObject",
        ),
        (
            "?list-type=2",
            1,
            "rights",
            "failed",
            "cannot be listed",
            "s3:ListBucket",
        ),
        (
            "?uploads",
            1,
            "rights",
            "warning",
            "AccessDenied",
            "ListBucketMultipartUploads",
        ),
        (
            "?lifecycle",
            0,
            "lifecycle",
            "unknown",
            "AccessDenied",
            "GetLifecycleConfiguration",
        ),
        (
            "?publicAccessBlock",
            0,
            "public-access",
            "unknown",
            "",
            "GetBucketPublicAccessBlock",
        ),
    ] {
        let proxy = FaultyProxy::new(cloud::address());
        proxy.set_mode(Mode::RespondToMatching(cloud::address(), request, DENIED));
        let run = doctor(&place).set("AWS_ENDPOINT_URL_S3", proxy.endpoint());
        let report = Report::of(run).await;
        report
            .code(code)
            .says(check, state, why)
            .advises(check, fix);
    }
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// A probe that cannot be removed is a failure of its own, and is named.
#[tokio::test]
async fn objects_that_cannot_be_removed_are_reported_with_missing_right() {
    let place = Place::new().await;
    let proxy = FaultyProxy::new(cloud::address());
    proxy.set_mode(Mode::RespondToMatching(
        cloud::address(),
        "DELETE /",
        DENIED,
    ));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", proxy.endpoint())).await;
    report
        .code(1)
        .says("conditional-writes", "failed", "could not be deleted")
        .advises("conditional-writes", "s3:DeleteObject")
        .advises("conditional-writes", ".upload-broker-doctor/");
    let left = everything(&place.bucket).await;
    assert!(
        left.iter()
            .all(|key| key.starts_with(".upload-broker-doctor/")),
        "{left:?}"
    );
}

#[tokio::test]
async fn public_bucket_fails() {
    let place = Place::new().await;
    let proxy = FaultyProxy::new(cloud::address());
    let public = "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\nconnection: close\r\n\r\n\
        <PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>";
    proxy.set_mode(Mode::RespondToMatching(
        cloud::address(),
        "?policyStatus",
        public,
    ));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", proxy.endpoint())).await;
    report
        .code(1)
        .says("public-access", "failed", "allows public access")
        .advises("public-access", "Block Public Access");
}
