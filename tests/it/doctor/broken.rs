//! What is missing, refuses or hangs is named with its fix, and does not stop the other checks.

use super::scene::{CHECKS, Report, doctor, everything};
use super::well::free_parts_after;
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::process::free_port;
use crate::support::serving::Place;

/// The checks that need the bucket.
fn checks_that_need_bucket() -> &'static [&'static str] {
    &CHECKS[5..14]
}

#[tokio::test]
async fn missing_bucket_fails_and_dependent_checks_are_unknown() {
    let place = Place::new().await;
    let report = Report::of(doctor(&place).set("BROKER_S3_BUCKET", "no-such-bucket")).await;
    report
        .code(1)
        .says("bucket", "failed", "bucket no-such-bucket does not exist")
        .advises("bucket", "BROKER_S3_BUCKET")
        .says("clock", "ok", "")
        .says("topic", "ok", "")
        .says("migrations", "ok", "");
    for check in checks_that_need_bucket() {
        report
            .says(check, "unknown", "the bucket does not respond")
            .advises(check, "`bucket`");
    }
}

#[tokio::test]
async fn wrong_access_key_or_secret_fails() {
    let place = Place::new().await;
    let report = Report::of(doctor(&place).set("AWS_ACCESS_KEY_ID", "somebody")).await;
    report
        .code(1)
        .says("bucket", "failed", "S3 denies access")
        .advises("bucket", "check the access key and its secret")
        .says("migrations", "ok", "");
    let report = Report::of(doctor(&place).set("AWS_SECRET_ACCESS_KEY", "hunter2")).await;
    report
        .code(1)
        .says("signatures", "failed", "403 SignatureDoesNotMatch")
        .advises("signatures", "the secret of the access key");
    assert!(!report.ended.out.contains("hunter2"), "{report:#?}");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

#[tokio::test]
async fn missing_credentials_fail() {
    let place = Place::new().await;
    let run = doctor(&place)
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    let report = Report::of(run).await;
    report
        .code(1)
        .says("credentials", "failed", "credentials")
        .advises("credentials", "AWS_ACCESS_KEY_ID")
        .says("migrations", "ok", "");
}

/// Without a region the SDK cannot build the bucket's address.
#[tokio::test]
async fn missing_region_fails() {
    let place = Place::new().await;
    let report = Report::of(doctor(&place).unset("AWS_REGION")).await;
    report
        .code(1)
        .says("tls", "failed", "")
        .advises("tls", "AWS_REGION")
        .says("migrations", "ok", "");
}

#[tokio::test]
async fn unreachable_store_fails() {
    let place = Place::new().await;
    let unreachable = format!("http://127.0.0.1:{}", free_port());
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", unreachable)).await;
    report
        .code(1)
        .says("bucket", "failed", "HeadBucket failed")
        .advises("bucket", "AWS_ENDPOINT_URL_S3")
        .says("clock", "failed", "does not answer")
        .says("migrations", "ok", "");
}

/// A dead connection costs its time limit, and the doctor goes on.
#[tokio::test]
async fn hanging_store_fails_after_timeout() {
    let place = Place::new().await;
    let gate = Gate::new(cloud::address());
    gate.block();
    let run = doctor(&place)
        .set("AWS_ENDPOINT_URL_S3", gate.endpoint())
        .set("BROKER_AWS_TIMEOUT_SECONDS", "0.5");
    let report = Report::of(run).await;
    report
        .code(1)
        .says("bucket", "failed", "HeadBucket failed")
        .says("clock", "failed", "")
        .says("migrations", "ok", "");
}

/// A refusal has a date as well, so a wrong clock is distinguished from a wrong key.
#[tokio::test]
async fn wrong_clock_is_distinguished_from_wrong_key() {
    let place = Place::new().await;
    let proxy = FaultyProxy::new(cloud::address());
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 403 Forbidden\r\ndate: Tue, 06 Jan 2026 08:00:00 GMT\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n",
    ));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", proxy.endpoint())).await;
    report
        .code(1)
        .says("clock", "failed", "ahead of S3's: signatures are rejected")
        .advises("clock", "NTP")
        .says("bucket", "failed", "(403)");
}

#[tokio::test]
async fn bucket_in_another_region_fails_with_its_region() {
    let place = Place::new().await;
    let proxy = FaultyProxy::new(cloud::address());
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n",
    ));
    let report = Report::of(doctor(&place).set("AWS_ENDPOINT_URL_S3", proxy.endpoint())).await;
    report
        .code(1)
        .says("bucket", "failed", "in another region")
        .advises("bucket", "AWS_REGION=eu-west-1");
}

/// The lifecycle rule would delete the parts of an upload that is still in progress.
#[tokio::test]
async fn lifecycle_rule_shorter_than_sessions_fails() {
    let place = Place::new().await;
    free_parts_after(&place.bucket, 1).await;
    let report = Report::of(doctor(&place)).await;
    report
        .code(1)
        .says("lifecycle", "failed", "after 1 days")
        .advises("lifecycle", "DaysAfterInitiation to 7");
    let day = doctor(&place).set("BROKER_SESSION_MAX_SECONDS", 86_400);
    Report::of(day).await.code(0).says("lifecycle", "ok", "");
}

/// Invalid settings are listed, and no check runs.
#[tokio::test]
async fn invalid_settings_are_listed_and_nothing_is_checked() {
    let place = Place::new().await;
    let ended = doctor(&place)
        .set("BROKER_URL_SECONDS", "soon")
        .finish()
        .await;
    let ended = ended.expect_failure(78, &["BROKER_URL_SECONDS", "soon"]);
    assert_eq!(ended.out, "");
}

/// Credentials that expire before the URLs that they sign.
#[tokio::test]
async fn credentials_that_expire_before_urls_are_a_warning() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    for (seconds, state, why) in [
        (300, "warning", "before their 900 s"),
        (3600, "ok", "expire at"),
    ] {
        let end = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        let given = serde_json::json!({
            "Version": 1,
            "AccessKeyId": cloud::ACCESS_KEY_ID,
            "SecretAccessKey": cloud::SECRET_ACCESS_KEY,
            "Expiration": end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        });
        let answer = folder.path().join("answer");
        std::fs::write(&answer, given.to_string()).expect("a file");
        let config = format!("[default]\ncredential_process = cat {}\n", answer.display());
        std::fs::write(&file, config).expect("a file");
        let run = doctor(&place)
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_SECRET_ACCESS_KEY")
            .set("AWS_CONFIG_FILE", file.display());
        Report::of(run)
            .await
            .code(0)
            .says("credentials", state, why);
    }
    let run = doctor(&place).set("AWS_SESSION_TOKEN", "of-a-session");
    let report = Report::of(run).await;
    report.says("credentials", "warning", "without a known expiry");
}
