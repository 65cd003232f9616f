//! A rolling restart: one replica after the other is asked to stop, exits cleanly and starts again
//! while clients go on.

use std::time::Duration;

use super::run_under_load;
use crate::support::fleet::Fleet;
use crate::support::knobs;

#[tokio::test]
async fn invariant_holds_through_rolling_restarts_under_load() {
    let fleet = Fleet::start(&[]).await;
    let (stories, truth) = run_under_load(&fleet, knobs::seed(21), 8, async |dice| {
        for round in 0..8 {
            tokio::time::sleep(Duration::from_millis(100 + dice.roll(300))).await;
            let replica = &fleet.replicas[round % 2];
            // This fails unless the process exits with 0.
            replica.stop().await;
            replica.start().await;
        }
    })
    .await;
    assert!(
        !truth.delivered.is_empty(),
        "{} stories, and nothing was uploaded",
        stories.len()
    );
}

/// Both replicas stop at the same moment, so that for a while none is available.
#[tokio::test]
async fn invariant_holds_when_both_replicas_restart_at_once() {
    let fleet = Fleet::start(&[]).await;
    let (_, truth) = run_under_load(&fleet, knobs::seed(22), 8, async |dice| {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(500 + dice.roll(500))).await;
            let [one, other] = &fleet.replicas;
            tokio::join!(one.stop(), other.stop());
            tokio::join!(one.start(), other.start());
        }
    })
    .await;
    assert!(!truth.delivered.is_empty(), "no load");
}
