//! The loop that finds out what the stores of buckets do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::stale::cause;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::maintenance::abilities::{Learned, learn};

/// How often it is asked what Postgres remembers.
const USUAL: Duration = Duration::from_secs(24 * 60 * 60);
/// How soon after another replica began.
const ELSEWHERE: Duration = Duration::from_secs(1);
/// The back-off after a store could not be tried out: from half a minute to an hour.
const UNKNOWN: Backoff = Backoff::new(Duration::from_secs(32), Duration::from_secs(60 * 60));

/// When a bucket is next, and how often in a row that came to nothing.
struct Plan {
    due: Instant,
    failures: u32,
}

/// Finds out what the store of every bucket does, as soon as it is met, again after a fault, and
/// once a day, until `stop`.
pub async fn learn_stores(broker: Arc<Broker>, stop: CancellationToken) {
    let mut plans: HashMap<String, Plan> = HashMap::new();
    while !stop.is_cancelled() {
        let newcomer = broker.stores.buckets.wait_for_new_bucket();
        let mut next = Instant::now() + USUAL;
        for name in broker.met_buckets() {
            let plan = plans.entry(name.clone()).or_insert_with(|| Plan {
                due: Instant::now(),
                failures: 0,
            });
            if plan.due <= Instant::now() {
                let wait = attempt(&broker, &name, &stop, plan).await;
                plan.due = Instant::now() + wait;
            }
            next = next.min(plan.due);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = newcomer => {}
            () = tokio::time::sleep_until(next.into()) => {}
        }
    }
}

/// Learns of one bucket; how long it is left alone then.
async fn attempt(
    broker: &Broker,
    bucket: &str,
    stop: &CancellationToken,
    plan: &mut Plan,
) -> Duration {
    let learned = learn(broker, bucket, stop).await;
    plan.failures = match learned {
        Ok(Learned::Some) | Err(_) => plan.failures.saturating_add(1),
        Ok(Learned::All | Learned::Elsewhere | Learned::Stopped) => 0,
    };
    match learned {
        Ok(Learned::All | Learned::Stopped) => USUAL,
        Ok(Learned::Elsewhere) => ELSEWHERE,
        Ok(Learned::Some) => UNKNOWN.delay(plan.failures),
        Err(error) => {
            let cause = cause(&error);
            log::warn!("what the store of bucket {bucket} does is not known: {error}: {cause}");
            Backoff::default().delay(plan.failures)
        }
    }
}
