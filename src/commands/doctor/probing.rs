//! Checks that write: whatever they come to, nothing of theirs is left.

use std::sync::Arc;
use std::time::Duration;

use super::super::output::causes;
use super::examine::{BOUND, interrupted, too_long};
use super::patient::Patient;
use super::verdict::{Line, Verdict};
use crate::objects::StoreError;
use crate::objects::probe::{Answer, FOLDER, Probe, ProbeError};

/// Runs a check with a probe, and removes what it wrote: after a failure, after its time and after
/// a signal too.
pub(super) async fn check(
    name: &'static str,
    patient: &Patient,
    examine: impl AsyncFnOnce(&Probe<'_>) -> Result<Verdict, ProbeError>,
) -> Line {
    let (signer, credentials) = match (&patient.signer, &patient.credentials) {
        (Ok(signer), Ok(credentials)) => (signer, Arc::clone(credentials)),
        (Err(why), _) | (_, Err(why)) => {
            let why = format!("no URL can be signed: {why}");
            return Line::new(name, Verdict::unknown(why, "see the check `credentials`"));
        }
    };
    let now = patient.clock.now();
    let stop = patient.stop.clone();
    let probe = Probe::new(
        &patient.store,
        &patient.wire,
        signer,
        credentials,
        now,
        stop,
    );
    let mut verdict = match tokio::time::timeout(BOUND, examine(&probe)).await {
        Ok(Ok(verdict)) => verdict,
        // What was on its way has ended, so that it can be removed.
        Ok(Err(ProbeError::Stopped)) => interrupted(),
        Ok(Err(error)) => {
            let fix = "see the other checks: a part of S3 works, this does not";
            Verdict::fault(&error, fix)
        }
        Err(_) => too_long(),
    };
    if let Err(why) = erased(&probe, BOUND).await {
        verdict = left_behind(verdict, &why);
    }
    Line::new(name, verdict)
}

/// A fault of its own, whatever the check came to.
fn left_behind(verdict: Verdict, why: &str) -> Verdict {
    let fix = format!("allow s3:DeleteObject (`doctor --policy`), and remove {FOLDER} yourself");
    let fixes: Vec<_> = verdict.fix.into_iter().chain([fix]).collect();
    Verdict::failed(
        format!(
            "{}; and what was written could not be removed: {why}",
            verdict.why
        ),
        fixes.join("; "),
    )
}

async fn erased(probe: &Probe<'_>, bound: Duration) -> Result<(), String> {
    match tokio::time::timeout(bound, probe.clean_up()).await {
        Ok(result) => result.map_err(|error| causes(&error)),
        Err(_) => Err(format!("no answer within {} s", bound.as_secs())),
    }
}

/// The verdict where the bucket does not say how it is configured; `action` is what would let it.
pub(super) fn unsaid(error: &StoreError, action: &str) -> Verdict {
    match error {
        StoreError::Refused { .. } => Verdict::unknown(
            error.to_string(),
            format!("allow {action} to whoever runs the doctor, where the store has it"),
        ),
        other => Verdict::fault(other, "see the check `bucket`"),
    }
}

/// The verdict on a write that should have gone through.
pub(super) fn not_written(answer: &Answer) -> Verdict {
    let fix = match (answer.code.as_str(), answer.status) {
        ("SignatureDoesNotMatch", _) => {
            "check the secret of the key, and that no proxy on the way changes host, path or headers"
        }
        ("InvalidAccessKeyId", _) => "check the key",
        ("RequestTimeTooSkewed", _) => "see the check `clock`",
        (_, 403) => {
            "allow s3:PutObject (`doctor --policy`); look for a bucket policy that denies it"
        }
        (_, 501) => "use a store that knows these headers",
        _ => "look the code up in the store's documentation",
    };
    let told = answer.summary();
    Verdict::failed(format!("S3 refuses a pre-signed PUT: {told}"), fix)
}
