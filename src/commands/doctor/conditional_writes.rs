//! `conditional-writes`: is a second write refused, as `BROKER_S3_CONDITIONAL_WRITES` says?

use super::patient::Patient;
use super::probing::not_written;
use super::verdict::Verdict;
use crate::objects::probe::{Answer, Probe, ProbeError};
use crate::objects::sign::{Precondition, PutObject};

/// An ETag that no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

pub(super) async fn examine(patient: &Patient, probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let on = patient.settings.s3.conditional_writes;
    let (key, id) = (probe.key("once"), probe.id());
    let once = PutObject::new(&key, "text/plain", &id);
    let first = probe.put(&once, "first", &[]).await?;
    if first.status == 501 {
        return Ok(verdict(
            on,
            Some("If-None-Match is not implemented".to_owned()),
        ));
    }
    if !first.is_success() {
        return Ok(not_written(&first));
    }
    let second = probe.put(&once, "second", &[]).await?;
    if !is_refused(&second) {
        let why = format!(
            "a second write with If-None-Match: * gets {}",
            second.told()
        );
        return Ok(verdict(on, Some(why)));
    }
    let exact = PutObject {
        precondition: Precondition::Matches(NO_ETAG),
        ..once
    };
    let third = probe.put(&exact, "third", &[]).await?;
    let why = (!is_refused(&third)).then(|| {
        format!(
            "a write with the If-Match of another version gets {}",
            third.told()
        )
    });
    Ok(verdict(on, why))
}

/// 409 where another write is under way.
fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 409 | 412)
}

/// `fault` is how the store does not do it.
fn verdict(on: bool, fault: Option<String>) -> Verdict {
    match (on, fault) {
        (true, None) => Verdict::ok("a second write, and one of another version, are refused"),
        (true, Some(why)) => Verdict::failed(
            format!("{why}: an old URL writes over a proven dataset"),
            "set BROKER_S3_CONDITIONAL_WRITES=off to be told of it (`drifted`), or use a store \
             that honours If-None-Match and If-Match",
        ),
        (false, None) => Verdict::warning(
            "off by the settings, though the store honours them",
            "leave BROKER_S3_CONDITIONAL_WRITES out",
        ),
        (false, Some(why)) => Verdict::ok(format!("off by the settings, and {why}")),
    }
}
