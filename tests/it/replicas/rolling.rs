//! A new version is rolled out: each replica in turn is asked to stop, ends well, and starts again
//! while clients go on.

use std::time::Duration;

use super::through;
use crate::support::fleet::Fleet;
use crate::support::knobs;

#[tokio::test]
async fn both_replicas_roll_under_load() {
    let fleet = Fleet::start(&[]).await;
    let (stories, truth) = through(&fleet, knobs::seed(21), 8, async |dice| {
        for round in 0..8 {
            tokio::time::sleep(Duration::from_millis(100 + dice.roll(300))).await;
            let replica = &fleet.replicas[round % 2];
            // Fails unless it exits with 0.
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

/// Both at the same moment: for a while there is nobody.
#[tokio::test]
async fn both_replicas_stop_at_once() {
    let fleet = Fleet::start(&[]).await;
    let (_, truth) = through(&fleet, knobs::seed(22), 8, async |dice| {
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
