//! What is held for a time is held longer while work goes on.
//!
//! The renewals run beside the work, in the same task: work that hangs a thread renews nothing, and
//! work that is dropped ends them.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;

/// Renewals in the length of a lease: two may fail before it ends.
const IN_A_LENGTH: u32 = 3;
/// After a renewal that failed, the next one comes within this share of the length.
const AFTER_A_FAILURE: u32 = 10;

/// What a renewal came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It is held for another length.
    Held,
    /// Another process has it.
    Lost,
    /// It could not be asked for.
    Failed,
}

/// The renewals of one lease.
#[derive(Debug)]
pub struct Renewal {
    length: Duration,
    lost: CancellationToken,
}

impl Renewal {
    /// Of a lease that was taken just now for `length`.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            lost: CancellationToken::new(),
        }
    }

    /// Cancelled when another process has the lease, or may have it because no renewal succeeded
    /// for its length: from then on nothing new is begun.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Does `work`, and calls `renew` at a third of the length again and again meanwhile, until the
    /// lease is lost. What was begun before goes on: its writes are fenced.
    pub async fn during<T, R>(&self, renew: impl Fn() -> R, work: impl Future<Output = T>) -> T
    where
        R: Future<Output = Renewed>,
    {
        tokio::select! {
            biased;
            done = work => done,
            never = self.renew_for_ever(renew) => match never {},
        }
    }

    async fn renew_for_ever<R>(&self, renew: impl Fn() -> R) -> Infallible
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
    async fn it_is_renewed_as_long_as_the_work_takes() {
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
    async fn what_another_process_took_is_lost_and_not_asked_for_again() {
        let (renewal, count) = (Renewal::new(LENGTH), AtomicUsize::new(0));
        let renew = async || {
            count.fetch_add(1, Relaxed);
            Renewed::Lost
        };
        renewal.during(renew, renewal.lost().cancelled()).await;
        assert_eq!(count.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn without_an_answer_it_is_lost_when_its_length_is_over() {
        let (renewal, start) = (Renewal::new(LENGTH), Instant::now());
        let renew = async || Renewed::Failed;
        renewal.during(renew, renewal.lost().cancelled()).await;
        assert!(start.elapsed() >= LENGTH, "{:?}", start.elapsed());
    }
}
