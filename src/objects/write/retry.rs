//! Retries of a write. The SDK retries what fails at once; this waits longer.

use std::time::Duration;

use crate::lifecycle::backoff::Backoff;
use crate::objects::store::StoreError;

/// Attempts, each of which the SDK repeats too.
const ATTEMPTS: u32 = 6;
/// The delays between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));

/// How long one attempt may take to send `size` bytes: a minute, and longer than a slow connection
/// of 1 MiB/s takes.
pub(super) fn timeout(size: u64) -> Duration {
    let mebibytes = size >> 20;
    Duration::from_secs(60_u64.saturating_add(mebibytes))
}

/// Calls `attempt` until it succeeds or fails for good.
pub(super) async fn retry<T, F>(attempt: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Err(error @ StoreError::Failed { .. }) => error,
            done => return done,
        };
        failures += 1;
        if failures >= ATTEMPTS {
            return Err(error);
        }
        log::debug!("writing an object again after a failure: {error}");
        tokio::time::sleep(BACKOFF.delay(failures)).await;
    }
}
