//! The time limit of a check, and its cancellation by a signal.

use std::time::Duration;

use super::context::CheckContext;
use super::verdict::{CheckResult, Verdict};

/// The time limit of a check; deleting its test objects may take the same time again.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Runs a check until it ends, reaches the time limit, or is cancelled by a signal.
pub(super) async fn run_limited(
    name: &'static str,
    context: &CheckContext,
    check: impl Future<Output = Verdict>,
) -> CheckResult {
    let limited = tokio::time::timeout(TIME_LIMIT, check);
    let verdict = match context.stop.run_until_cancelled(limited).await {
        Some(Ok(verdict)) => verdict,
        Some(Err(_)) => timed_out(),
        None => interrupted(),
    };
    CheckResult::new(name, verdict)
}

/// The verdict on a check that reached the time limit.
pub(super) fn timed_out() -> Verdict {
    Verdict::failed(
        format!("it took longer than {} s", TIME_LIMIT.as_secs()),
        "find out what hangs: a network that drops packets, a proxy, an overloaded service",
    )
}

/// The verdict on a check that was cancelled by a signal.
pub(super) fn interrupted() -> Verdict {
    Verdict::unknown("interrupted", "run the doctor again")
}
