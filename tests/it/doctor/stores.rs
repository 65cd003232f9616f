//! Stores that have less than S3, or do less than they should.

use super::scene::{Report, doctor, everything};
use crate::support::cloud::{self, Bucket};
use crate::support::door::{Door, Way};
use crate::support::masked::Masked;
use crate::support::process::Run;
use crate::support::serving::Place;
use crate::support::store::Store;

fn at(place: &Place, store: &Masked) -> Run {
    doctor(place).set("AWS_ENDPOINT_URL_S3", store.endpoint())
}

/// What it does not have cannot be told, and fails nobody.
#[tokio::test]
async fn the_embedded_store() {
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

/// A setting that promises what the store does not do is a fault; that the store does less than S3
/// is none, and the report says what the broker does instead, with the statuses that show it. The
/// advice of one run is never undone by that of the next.
#[tokio::test]
async fn conditional_writes_are_not_honoured() {
    let place = Place::new().await;
    let store = Masked::saying(&[
        (b"HTTP/1.1 412", b"HTTP/1.1 200"),
        // An error in the body of a 200 is an error all the same.
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
            "an old URL writes over a proven dataset",
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
            "a create checks what stands at its path",
        )
        .says("conditional-writes", "warning", "if_match is refused")
        .advises("conditional-writes", "nothing to set");
    let report = with(at(&place, &store), "off").await;
    report
        .code(0)
        .says("conditional-writes", "ok", "off by the settings");
    let report = with(doctor(&place), "off").await;
    report
        .code(0)
        .says(
            "conditional-writes",
            "warning",
            "though the store honours it",
        )
        .advises("conditional-writes", "BROKER_S3_PUT_IF_NONE_MATCH=auto");
    let report = with(doctor(&place), "auto").await;
    report
        .code(0)
        .says("conditional-writes", "ok", "If-Match on DELETE is honoured");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

#[tokio::test]
async fn checksums_are_not_told() {
    let place = Place::new().await;
    let store = Masked::start().await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(0)
        .says("checksums", "warning", "proofs are by size")
        .says("multipart", "warning", "no CRC64NVME");
}

#[tokio::test]
async fn checksums_are_not_verified() {
    let place = Place::new().await;
    let store = Masked::saying(&[(b"HTTP/1.1 400", b"HTTP/1.1 200")]).await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(1)
        .says("checksums", "failed", "another SHA-256")
        .advises("checksums", "x-amz-checksum-sha256");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// What the settings turn off costs the proof by checksum: the report names the setting.
#[tokio::test]
async fn checksums_switched_off_by_settings_are_a_warning() {
    let place = Place::new().await;
    for setting in ["BROKER_S3_CHECKSUMS", "BROKER_S3_HEAD_CHECKSUMS"] {
        let report = Report::of(doctor(&place).set(setting, "off")).await;
        report
            .code(0)
            .says("checksums", "warning", &format!("{setting}=off"))
            .advises("checksums", &format!("{setting}=auto"));
    }
}

/// As moto and some toys do.
#[tokio::test]
async fn signatures_are_not_checked() {
    let place = Place::new().await;
    let store = Masked::saying(&[(b"HTTP/1.1 403", b"HTTP/1.1 200")]).await;
    let report = Report::of(at(&place, &store)).await;
    report
        .code(1)
        .says("signatures", "failed", "wrong signature");
}

/// What S3 answers whoever lacks a right.
const DENIED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\n\
    connection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>";

/// A role lacks one right: its check fails, or cannot tell, and says which right that is.
#[tokio::test]
async fn a_right_is_missing() {
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
        let door = Door::to(cloud::address());
        door.leads(Way::Interrupts(cloud::address(), request, DENIED));
        let run = doctor(&place).set("AWS_ENDPOINT_URL_S3", door.endpoint());
        let report = Report::of(run).await;
        report
            .code(code)
            .says(check, state, why)
            .advises(check, fix);
    }
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// What cannot be removed is a fault of its own, and named.
#[tokio::test]
async fn removing_is_forbidden() {
    let place = Place::new().await;
    let door = Door::to(cloud::address());
    door.leads(Way::Interrupts(cloud::address(), "DELETE /", DENIED));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", door.endpoint())).await;
    report
        .code(1)
        .says("conditional-writes", "failed", "could not be removed")
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
async fn everybody_may_come_in() {
    let place = Place::new().await;
    let door = Door::to(cloud::address());
    let public = "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\nconnection: close\r\n\r\n\
        <PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>";
    door.leads(Way::Interrupts(cloud::address(), "?policyStatus", public));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", door.endpoint())).await;
    report
        .code(1)
        .says("public-access", "failed", "lets everybody in")
        .advises("public-access", "Block public access");
}
