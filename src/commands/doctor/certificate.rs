//! `certificate`: can the TLS certificate of the listener be loaded, is it valid for a while, and
//! is its private key protected from other users?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::domain::event::timestamp;
use crate::http::tls::{ServerCertificate, Validity, ValidityFault};

/// The permission bits of users other than the owner and its group.
const OTHERS: u32 = 0o007;
/// What to do about a certificate that expires.
const RENEW: &str = "renew the certificate, write both files, and send SIGHUP to the broker";

pub(super) fn check_certificate(context: &CheckContext) -> Verdict {
    let Some(files) = &context.settings.http.tls else {
        return Verdict::ok("BROKER_TLS_CERT is not set: the listener does not use TLS");
    };
    let identity = match ServerCertificate::load(files) {
        Ok(identity) => identity,
        Err(error) => {
            let fix = "set BROKER_TLS_CERT to the certificate chain and BROKER_TLS_KEY to the key of its first \
                certificate, both in PEM and readable by the broker";
            return Verdict::error(&error, fix);
        }
    };
    match identity.validity() {
        Ok(validity) => verdict(validity, context.clock.now(), is_open(&files.key)),
        Err(error) => Verdict::error(
            &error,
            "have a new certificate issued: clients may reject this one, too",
        ),
    }
}

fn verdict(validity: Validity, now: DateTime<Utc>, open: bool) -> Verdict {
    match validity.fault(now) {
        Some(complaint @ ValidityFault::Expired(_)) => Verdict::failed(
            format!("the certificate {complaint}: clients reject it"),
            RENEW,
        ),
        Some(complaint @ ValidityFault::NotYet(_)) => Verdict::failed(
            format!("the certificate {complaint}: clients reject it"),
            "wait, or use the previous certificate; see the check `clock`",
        ),
        Some(complaint @ ValidityFault::EndsSoon(..)) => {
            Verdict::warning(format!("the certificate {complaint}"), RENEW)
        }
        None if open => Verdict::warning(
            "every user of this machine can read BROKER_TLS_KEY",
            "run chmod o-rwx on the file",
        ),
        None => Verdict::ok(format!(
            "certificate and key match, and are valid for {} days, until {}",
            validity.days_left(now),
            timestamp(validity.ends_at)
        )),
    }
}

fn is_open(key: &Path) -> bool {
    fs::metadata(key).is_ok_and(|data| data.permissions().mode() & OTHERS != 0)
}
