//! The listener's certificate: valid, invalid or expiring, and a private key that others can read.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use chrono::TimeDelta;

use super::scene::{Report, doctor};
use crate::support::process::Run;
use crate::support::serving::Place;
use crate::tls::pki::Authority;

fn with(place: &Place, certificate: &std::path::Path, key: &std::path::Path) -> Run {
    doctor(place)
        .set("BROKER_TLS_CERT", certificate.display())
        .set("BROKER_TLS_KEY", key.display())
}

#[tokio::test]
async fn certificate_check_reports_remaining_validity() {
    let (place, authority) = (Place::new().await, Authority::new());
    let hour = TimeDelta::hours(1);
    for (begins, ends, code, state, why, fix) in [
        (-hour, TimeDelta::days(90) + hour, 0, "ok", "90 days", ""),
        (-hour, TimeDelta::days(14) + hour, 0, "ok", "14 days", ""),
        (
            -hour,
            TimeDelta::days(13) + hour,
            0,
            "warning",
            "in 13 days",
            "SIGHUP",
        ),
        (
            -hour * 2,
            -hour,
            1,
            "failed",
            "has expired at",
            "renew the certificate",
        ),
        (hour, hour * 2, 1, "failed", "not valid before", "`clock`"),
    ] {
        let now = chrono::Utc::now();
        let (certificate, key) = authority.files_for("listener", now + begins, now + ends);
        let report = Report::of(with(&place, &certificate, &key)).await;
        report.code(code).says("certificate", state, why);
        if state != "ok" {
            report.advises("certificate", fix);
        }
    }
}

#[tokio::test]
async fn certificate_check_reports_mismatched_missing_or_readable_key() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (certificate, key) = authority.files("listener", "localhost");
    let (_, other) = authority.files("other", "localhost");
    let report = Report::of(with(&place, &certificate, &other)).await;
    report
        .code(1)
        .says(
            "certificate",
            "failed",
            "does not belong to the certificate",
        )
        .advises("certificate", "BROKER_TLS_KEY")
        .says("migrations", "ok", "");
    let nowhere = std::path::Path::new("/nowhere/key.pem");
    let report = Report::of(with(&place, &certificate, nowhere)).await;
    report
        .code(1)
        .says("certificate", "failed", "BROKER_TLS_KEY=/nowhere/key.pem");
    set_permissions(&key, Permissions::from_mode(0o604)).expect("a mode");
    let report = Report::of(with(&place, &certificate, &key)).await;
    report
        .code(0)
        .says("certificate", "warning", "can read BROKER_TLS_KEY")
        .advises("certificate", "chmod");
    assert!(!report.ended.out.contains("PRIVATE"), "{report:#?}");
}
