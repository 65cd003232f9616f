//! The loop that determines which features the stores of the buckets support.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::loops::cause;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::maintenance::abilities::{Discovery, discover};

/// The time after which a completed result is read again from Postgres.
const REFRESH_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The delay after another replica has started to probe the same bucket.
const OTHER_REPLICA_DELAY: Duration = Duration::from_secs(1);
/// The back-off while a store cannot be probed completely: from half a minute to an hour.
const INCOMPLETE_BACKOFF: Backoff =
    Backoff::new(Duration::from_secs(32), Duration::from_secs(60 * 60));

/// When a bucket is probed next, and how many consecutive attempts were incomplete.
struct Schedule {
    due: Instant,
    failures: u32,
}

/// Probes the store of every bucket as soon as the bucket is first used, again after a failure, and
/// once a day, until `stop`.
pub async fn probe_stores(broker: Arc<Broker>, stop: CancellationToken) {
    let mut schedules: HashMap<String, Schedule> = HashMap::new();
    while !stop.is_cancelled() {
        let new_bucket = broker.stores.buckets.wait_for_new_bucket();
        let mut next = Instant::now() + REFRESH_INTERVAL;
        for name in broker.met_buckets() {
            let schedule = schedules.entry(name.clone()).or_insert_with(|| Schedule {
                due: Instant::now(),
                failures: 0,
            });
            if schedule.due <= Instant::now() {
                let delay = probe(&broker, &name, &stop, schedule).await;
                schedule.due = Instant::now() + delay;
            }
            next = next.min(schedule.due);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = new_bucket => {}
            () = tokio::time::sleep_until(next.into()) => {}
        }
    }
}

/// Probes the store of one bucket, and returns the delay before the next probe.
async fn probe(
    broker: &Broker,
    bucket: &str,
    stop: &CancellationToken,
    schedule: &mut Schedule,
) -> Duration {
    let learned = discover(broker, bucket, stop).await;
    schedule.failures = match learned {
        Ok(Discovery::Incomplete) | Err(_) => schedule.failures.saturating_add(1),
        Ok(Discovery::Complete | Discovery::LeasedElsewhere | Discovery::Stopped) => 0,
    };
    match learned {
        Ok(Discovery::Complete | Discovery::Stopped) => REFRESH_INTERVAL,
        Ok(Discovery::LeasedElsewhere) => OTHER_REPLICA_DELAY,
        Ok(Discovery::Incomplete) => INCOMPLETE_BACKOFF.delay(schedule.failures),
        Err(error) => {
            let cause = cause(&error);
            log::warn!("cannot probe the store of bucket {bucket}: {error}: {cause}");
            Backoff::default().delay(schedule.failures)
        }
    }
}
