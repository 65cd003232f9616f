//! A rolling restart: one replica after the other is asked to stop, exits cleanly and starts again
//! while clients go on.

use std::time::Duration;

use super::run_under_load;
use crate::support::fleet::Fleet;
use crate::support::options;

#[tokio::test]
async fn invariant_holds_through_rolling_restarts_under_load() {
    let fleet = Fleet::start(&[]).await;
    let (records, snapshot) = run_under_load(&fleet, options::seed(21), 8, async |rng| {
        for round in 0..8 {
            tokio::time::sleep(Duration::from_millis(100 + rng.below(300))).await;
            let replica = &fleet.replicas[round % 2];
            // This fails unless the process exits with 0.
            replica.stop().await;
            replica.start().await;
        }
    })
    .await;
    assert!(
        !snapshot.delivered.is_empty(),
        "{} records, and nothing was uploaded",
        records.len()
    );
}

/// Both replicas stop at the same moment, so that for a while none is available.
#[tokio::test]
async fn invariant_holds_when_both_replicas_restart_at_once() {
    let fleet = Fleet::start(&[]).await;
    let (_, snapshot) = run_under_load(&fleet, options::seed(22), 8, async |rng| {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(500 + rng.below(500))).await;
            let [one, other] = &fleet.replicas;
            tokio::join!(one.stop(), other.stop());
            tokio::join!(one.start(), other.start());
        }
    })
    .await;
    assert!(!snapshot.delivered.is_empty(), "no load");
}
