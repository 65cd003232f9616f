//! A dependency of both replicas fails under load in every way and recovers: no replica has to be
//! restarted, and nothing is lost.

use std::time::Duration;

use super::run_under_load;
use crate::support::fleet::{Fleet, Replica};
use crate::support::gate::Gate;
use crate::support::options;

/// How long each fault lasts: longer than some sessions live, and longer than most calls wait.
const TROUBLE: Duration = Duration::from_millis(1_500);
/// The SDK retries a call to SNS for this long before the relay learns of the fault.
const LONG: Duration = Duration::from_secs(4);

/// Selects a gate of each replica, or the one gate of all clients.
type Which = fn(&Fleet) -> Vec<&Gate>;

fn of_both(fleet: &Fleet, which: fn(&Replica) -> &Gate) -> Vec<&Gate> {
    fleet.replicas.iter().map(which).collect()
}

/// Applies these faults one after the other: refused connections, broken connections, half-open
/// connections, lost answers, slow answers.
async fn run_through_faults(which: Which, seed: u64, lasts: Duration) {
    let fleet = Fleet::start(&[]).await;
    let gates = which(&fleet);
    let (records, snapshot) = run_under_load(&fleet, options::seed(seed), 8, async |rng| {
        let calm = |rng: &mut crate::support::seeded_rng::SeededRng| {
            Duration::from_millis(200 + rng.below(400))
        };
        for trouble in 0..5 {
            tokio::time::sleep(calm(rng)).await;
            for gate in &gates {
                match trouble {
                    0 => gate.close().await,
                    1 => gate.drop_connections().await,
                    2 => gate.block(),
                    3 => gate.block_responses(),
                    _ => gate.delay(Duration::from_millis(50)),
                }
            }
            tokio::time::sleep(lasts).await;
            // Requests that were held are lost with their connections.
            for gate in &gates {
                gate.drop_connections().await;
            }
        }
        tokio::time::sleep(calm(rng)).await;
    })
    .await;
    assert!(
        !snapshot.delivered.is_empty(),
        "{} records, and nothing was uploaded",
        records.len()
    );
}

#[tokio::test]
async fn invariant_holds_through_faults_of_postgres() {
    run_through_faults(
        |fleet| of_both(fleet, |replica| &replica.postgres),
        11,
        TROUBLE,
    )
    .await;
}

#[tokio::test]
async fn invariant_holds_through_faults_of_s3() {
    run_through_faults(|fleet| of_both(fleet, |replica| &replica.s3), 12, TROUBLE).await;
}

#[tokio::test]
async fn invariant_holds_through_faults_of_sns() {
    run_through_faults(|fleet| of_both(fleet, |replica| &replica.sns), 13, LONG).await;
}

#[tokio::test]
async fn invariant_holds_through_faults_between_clients_and_s3() {
    run_through_faults(|fleet| vec![&fleet.clients], 14, TROUBLE).await;
}

/// One replica is cut off from all its dependencies while the other one works on; then they work
/// together again.
#[tokio::test]
async fn invariant_holds_while_one_replica_is_cut_off() {
    let fleet = Fleet::start(&[]).await;
    let (records, snapshot) = run_under_load(&fleet, options::seed(15), 8, async |rng| {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let replica = &fleet.replicas[rng.below(2) as usize];
            for gate in [&replica.postgres, &replica.s3, &replica.sns] {
                gate.close().await;
            }
            tokio::time::sleep(TROUBLE).await;
            fleet.restore();
        }
    })
    .await;
    assert!(
        !snapshot.delivered.is_empty(),
        "{} records, and nothing was uploaded",
        records.len()
    );
}
