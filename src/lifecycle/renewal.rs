//! Renews a lease while work is in progress.
//!
//! The renewals run in the same task as the work: work that blocks its thread is not renewed, and
//! dropping the work ends the renewals.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;

/// Renewals in the length of a lease: two may fail before it ends.
const IN_A_LENGTH: u32 = 3;
/// After a renewal that failed, the next one comes within this share of the length.
const AFTER_A_FAILURE: u32 = 10;

/// The result of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The lease is held for another length.
    Held,
    /// Another process holds the lease.
    Lost,
    /// The renewal could not be tried.
    Failed,
}

/// The renewals of one lease.
#[derive(Debug)]
pub struct Renewal {
    length: Duration,
    lost: CancellationToken,
}

impl Renewal {
    /// Prepares the renewals of a lease that was just taken for `length`.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            lost: CancellationToken::new(),
        }
    }

    /// A token that is cancelled when another process holds the lease, or may hold it because no
    /// renewal has succeeded for its length. From then on, no new work may be started.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Runs `work`, and meanwhile calls `renew` after each third of the length, until the lease is
    /// lost. Work that was started before continues, because its writes are fenced.
    pub async fn during<T, R>(&self, renew: impl Fn() -> R, work: impl Future<Output = T>) -> T
    where
        R: Future<Output = Renewed>,
    {
        tokio::select! {
            biased;
            done = work => done,
            never = self.renew_until_lost(renew) => match never {},
        }
    }

    async fn renew_until_lost<R>(&self, renew: impl Fn() -> R) -> Infallible
    where
        R: Future<Output = Renewed>,
    {
        let mut held_since = Instant::now();
        let mut wait = self.length / IN_A_LENGTH;
        // It does not grow: a lease that is not renewed is soon lost.
        let sooner = self.length / AFTER_A_FAILURE;
        let backoff = Backoff::new(sooner, sooner);
        let mut failures = 0;
        loop {
            sleep(wait).await;
            let asked = Instant::now();
            match renew().await {
                Renewed::Held => {
                    held_since = asked;
                    failures = 0;
                    wait = self.length / IN_A_LENGTH;
                    continue;
                }
                Renewed::Failed if held_since.elapsed() < self.length => {
                    failures += 1;
                    wait = backoff.delay(failures);
                    continue;
                }
                Renewed::Failed | Renewed::Lost => self.lost.cancel(),
            }
            return std::future::pending().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    const LENGTH: Duration = Duration::from_millis(90);

    #[tokio::test]
    async fn lease_is_renewed_while_work_runs() {
        let (renewal, count) = (Renewal::new(LENGTH), AtomicUsize::new(0));
        let work = async {
            while count.load(Relaxed) < 6 {
                tokio::task::yield_now().await;
            }
            "done"
        };
        let renew = async || {
            count.fetch_add(1, Relaxed);
            Renewed::Held
        };
        assert_eq!(renewal.during(renew, work).await, "done");
        assert!(!renewal.lost().is_cancelled());
    }

    #[tokio::test]
    async fn lost_lease_is_not_renewed_again() {
        let (renewal, count) = (Renewal::new(LENGTH), AtomicUsize::new(0));
        let renew = async || {
            count.fetch_add(1, Relaxed);
            Renewed::Lost
        };
        renewal.during(renew, renewal.lost().cancelled()).await;
        assert_eq!(count.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn lease_without_successful_renewal_is_lost_after_its_length() {
        let (renewal, start) = (Renewal::new(LENGTH), Instant::now());
        let renew = async || Renewed::Failed;
        renewal.during(renew, renewal.lost().cancelled()).await;
        assert!(start.elapsed() >= LENGTH, "{:?}", start.elapsed());
    }
}
