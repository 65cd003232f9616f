//! `certificate`: what the listener shows when it serves TLS: a pair that loads, is good for a while,
//! and whose key is nobody else's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::patient::Patient;
use super::verdict::Verdict;
use crate::domain::event::timestamp;
use crate::http::tls::{ServerCertificate, Validity, ValidityFault};

/// The bits by which others than the owner and its group may come at a file.
const OTHERS: u32 = 0o007;
/// What to do about one that ends.
const RENEW: &str = "renew it, write both files, and send SIGHUP to the broker";

pub(super) fn check(patient: &Patient) -> Verdict {
    let Some(files) = &patient.settings.http.tls else {
        return Verdict::ok("BROKER_TLS_CERT is not set: the listener serves no TLS");
    };
    let identity = match ServerCertificate::load(files) {
        Ok(identity) => identity,
        Err(error) => {
            let fix = "set BROKER_TLS_CERT to the chain and BROKER_TLS_KEY to the key of its first \
                certificate, both in PEM and readable to the broker";
            return Verdict::fault(&error, fix);
        }
    };
    match identity.validity() {
        Ok(validity) => verdict(validity, patient.clock.now(), is_open(&files.key)),
        Err(error) => Verdict::fault(&error, "have it made anew: clients may refuse it too"),
    }
}

fn verdict(validity: Validity, now: DateTime<Utc>, open: bool) -> Verdict {
    match validity.fault(now) {
        Some(fault @ ValidityFault::Expired(_)) => {
            Verdict::failed(format!("it {fault}: clients refuse it"), RENEW)
        }
        Some(fault @ ValidityFault::NotYet(_)) => Verdict::failed(
            format!("it {fault}: clients refuse it"),
            "wait for it or use the one before; see the check `clock`",
        ),
        Some(fault @ ValidityFault::EndsSoon(..)) => Verdict::warning(format!("it {fault}"), RENEW),
        None if open => Verdict::warning(
            "everybody on this machine may read BROKER_TLS_KEY",
            "chmod o-rwx on the file",
        ),
        None => Verdict::ok(format!(
            "certificate and key are a pair, good for {} days, until {}",
            validity.days_left(now),
            timestamp(validity.ends_at)
        )),
    }
}

fn is_open(key: &Path) -> bool {
    fs::metadata(key).is_ok_and(|data| data.permissions().mode() & OTHERS != 0)
}
