//! Runs the checks that write test objects, and deletes those objects afterwards.

use std::sync::Arc;
use std::time::Duration;

use super::super::output::causes;
use super::context::CheckContext;
use super::time_limit::{TIME_LIMIT, interrupted, timed_out};
use super::verdict::{CheckResult, Verdict};
use crate::objects::StoreError;
use crate::objects::probe::{Answer, FOLDER, Probe, ProbeError};

/// Runs a check with a probe, and then deletes what it wrote, even after a failure, a timeout or a
/// signal.
pub(super) async fn with_probe(
    name: &'static str,
    context: &CheckContext,
    check: impl AsyncFnOnce(&Probe<'_>) -> Result<Verdict, ProbeError>,
) -> CheckResult {
    let (signer, credentials) = match (&context.signer, &context.credentials) {
        (Ok(signer), Ok(credentials)) => (signer, Arc::clone(credentials)),
        (Err(why), _) | (_, Err(why)) => {
            let why = format!("no URL can be signed: {why}");
            return CheckResult::new(name, Verdict::unknown(why, "see the check `credentials`"));
        }
    };
    let now = context.clock.now();
    let stop = context.stop.clone();
    let probe = Probe::new(
        &context.store,
        &context.wire,
        signer,
        credentials,
        now,
        stop,
    );
    let mut verdict = match tokio::time::timeout(TIME_LIMIT, check(&probe)).await {
        Ok(Ok(verdict)) => verdict,
        // The request in flight has ended, so that its object can be deleted.
        Ok(Err(ProbeError::Stopped)) => interrupted(),
        Ok(Err(error)) => {
            let fix = "see the other checks: other requests to S3 may work";
            Verdict::error(&error, fix)
        }
        Err(_) => timed_out(),
    };
    if let Err(why) = erase(&probe, TIME_LIMIT).await {
        verdict = with_cleanup_failure(verdict, &why);
    }
    CheckResult::new(name, verdict)
}

/// Adds the failure to delete the test objects to the verdict of a check.
fn with_cleanup_failure(verdict: Verdict, why: &str) -> Verdict {
    let fix = format!("allow s3:DeleteObject (`doctor --policy`), and delete {FOLDER} manually");
    let fixes: Vec<_> = verdict.fix.into_iter().chain([fix]).collect();
    Verdict::failed(
        format!(
            "{}; the test objects could not be deleted: {why}",
            verdict.why
        ),
        fixes.join("; "),
    )
}

/// Deletes what the probe wrote.
async fn erase(probe: &Probe<'_>, limit: Duration) -> Result<(), String> {
    match tokio::time::timeout(limit, probe.clean_up()).await {
        Ok(result) => result.map_err(|error| causes(&error)),
        Err(_) => Err(format!("no response within {} s", limit.as_secs())),
    }
}

/// The verdict if the store does not return a part of the bucket's configuration. `action` is the
/// permission for it.
pub(super) fn configuration_unreadable(error: &StoreError, action: &str) -> Verdict {
    match error {
        StoreError::Refused { .. } => Verdict::unknown(
            error.to_string(),
            format!("allow {action} to the user who runs the doctor, if the store supports it"),
        ),
        other => Verdict::error(other, "see the check `bucket`"),
    }
}

/// The verdict on a write that should have succeeded.
pub(super) fn put_rejected(answer: &Answer) -> Verdict {
    let fix = match (answer.code.as_str(), answer.status) {
        ("SignatureDoesNotMatch", _) => {
            "check the secret of the access key, and that no proxy changes the host, path or headers"
        }
        ("InvalidAccessKeyId", _) => "check the access key",
        ("RequestTimeTooSkewed", _) => "see the check `clock`",
        (_, 403) => {
            "allow s3:PutObject (`doctor --policy`), and check whether a bucket policy denies it"
        }
        (_, 501) => "use a store that supports these headers",
        _ => "look up the error code in the documentation of the store",
    };
    let description = answer.summary();
    Verdict::failed(format!("S3 rejects a pre-signed PUT: {description}"), fix)
}
