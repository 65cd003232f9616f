//! The loop that reads new events for the live streams of this process.
//!
//! It reads twice a second while there are streams, and soon after this process has written an event.
//! An event reaches the streams of every replica within a second and a half after its commit, unless
//! an older transaction is still open. Without streams, it reads nothing. While Postgres is
//! unavailable, it tries again, and streams wait.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::feed::Poller;

/// How often to read while there are streams.
const INTERVAL: Duration = Duration::from_millis(500);
/// The shortest time between two reads, however many events are written.
const MIN_INTERVAL: Duration = Duration::from_millis(50);
/// The back-off while Postgres is unavailable.
const BACKOFF: Backoff = Backoff::up_to(Duration::from_secs(2));

/// Reads events until `stop`.
pub async fn run(broker: Arc<Broker>, stop: CancellationToken) {
    let mut poller = Poller::new(Arc::clone(&broker));
    let mut failures = 0;
    loop {
        let wait = match poller.run_once().await {
            Ok(more) => {
                failures = 0;
                if more { Duration::ZERO } else { MIN_INTERVAL }
            }
            Err(error) => {
                failures += 1;
                log::warn!("event feed: cannot read events (failure {failures} in a row): {error}");
                BACKOFF.delay(failures)
            }
        };
        let pause = async {
            tokio::time::sleep(wait).await;
            if failures > 0 || wait.is_zero() {
                return;
            }
            if !broker.feed.has_streams() {
                return broker.feed.woken().await;
            }
            tokio::select! {
                () = broker.feed.woken() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = pause => {}
        }
    }
}
