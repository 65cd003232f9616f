//! `kill -9` at random moments under load, dozens of times: unfinished work is finished by the
//! other replica, and nothing is lost, duplicated or partial.

use std::time::Duration;

use super::run_under_load;
use crate::support::fleet::{Fleet, REPLICAS};
use crate::support::options;

#[tokio::test]
async fn invariant_holds_after_fifty_kills_under_load() {
    let (seed, kills) = (options::seed(1), options::kills(50));
    let fleet = Fleet::start(&[]).await;
    for replica in &fleet.replicas {
        // Steps take a little longer, so that more of the kills hit one.
        replica.s3.delay(Duration::from_millis(2));
        replica.sns.delay(Duration::from_millis(5));
    }
    let (records, snapshot) = run_under_load(&fleet, seed, 12, async |rng| {
        for _ in 0..kills {
            // A random moment. This is the scenario, not a wait for an event.
            tokio::time::sleep(Duration::from_micros(rng.below(400_000))).await;
            let which = rng.below(REPLICAS as u64) as usize;
            fleet.replicas[which].kill().await;
            if rng.chance(15) {
                // Both replicas at once, and one of them again while it starts.
                fleet.replicas[1 - which].kill().await;
                fleet.replicas[which].begin();
                tokio::time::sleep(Duration::from_micros(rng.below(100_000))).await;
                fleet.replicas[which].kill().await;
                fleet.replicas[1 - which].start().await;
            }
            fleet.replicas[which].start().await;
        }
    })
    .await;
    let uploaded = snapshot.delivered.len();
    eprintln!(
        "seed {seed}: {kills} kills, {} records, {} uploads, {uploaded} notified",
        records.len(),
        snapshot.uploads.len()
    );
    assert!(uploaded > 50, "hardly any load: {uploaded} uploads");
}
