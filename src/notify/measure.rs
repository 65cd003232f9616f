//! Updates gauges periodically, independently of the work that they describe.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::outcome::RelayError;

/// How often to measure.
const INTERVAL: Duration = Duration::from_secs(1);
/// Measuring may take at most this fraction of the time: one in twenty.
const TIME_DIVISOR: u32 = 20;

/// Calls `measure` until `stop`. The first call is delayed, because connections to Postgres are needed
/// elsewhere during the start. `subject` names the events that are counted, for the log.
pub(super) async fn measure_until<F>(
    stop: &CancellationToken,
    subject: &str,
    measure: impl Fn() -> F,
) where
    F: Future<Output = Result<(), RelayError>>,
{
    let mut wait = INTERVAL;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        let start = Instant::now();
        if let Err(error) = measure().await {
            log::debug!("{subject}: cannot count the waiting events: {error}");
        }
        wait = INTERVAL.max(start.elapsed() * TIME_DIVISOR);
    }
}
