//! What both replicas depend on goes away under load, in every way in which things go away, and
//! comes back: nobody restarts anything, and nothing is lost.

use std::time::Duration;

use super::through;
use crate::support::fleet::{Fleet, Replica};
use crate::support::gate::Gate;
use crate::support::knobs;

/// How long each trouble lasts: longer than some sessions live, and than most calls wait.
const TROUBLE: Duration = Duration::from_millis(1_500);
/// The SDK tries a call to SNS for this long before the relay hears of the trouble.
const LONG: Duration = Duration::from_secs(4);

/// A gate of each replica, or the one of all clients.
type Which = fn(&Fleet) -> Vec<&Gate>;

fn of_both(fleet: &Fleet, which: fn(&Replica) -> &Gate) -> Vec<&Gate> {
    fleet.replicas.iter().map(which).collect()
}

/// Cut off and refused, torn, half-open, answers lost, slow: one after the other.
async fn misbehaves(which: Which, seed: u64, lasts: Duration) {
    let fleet = Fleet::start(&[]).await;
    let gates = which(&fleet);
    let (stories, truth) = through(&fleet, knobs::seed(seed), 8, async |dice| {
        let calm =
            |dice: &mut crate::support::dice::Dice| Duration::from_millis(200 + dice.roll(400));
        for trouble in 0..5 {
            tokio::time::sleep(calm(dice)).await;
            for gate in &gates {
                match trouble {
                    0 => gate.cut().await,
                    1 => gate.tear().await,
                    2 => gate.hold(),
                    3 => gate.hold_answers(),
                    _ => gate.delay(Duration::from_millis(50)),
                }
            }
            tokio::time::sleep(lasts).await;
            // What was held is lost with its connection.
            for gate in &gates {
                gate.tear().await;
            }
        }
        tokio::time::sleep(calm(dice)).await;
    })
    .await;
    assert!(
        !truth.delivered.is_empty(),
        "{} stories, and nothing was uploaded",
        stories.len()
    );
}

#[tokio::test]
async fn postgres_misbehaves() {
    misbehaves(
        |fleet| of_both(fleet, |replica| &replica.postgres),
        11,
        TROUBLE,
    )
    .await;
}

#[tokio::test]
async fn s3_misbehaves() {
    misbehaves(|fleet| of_both(fleet, |replica| &replica.s3), 12, TROUBLE).await;
}

#[tokio::test]
async fn sns_misbehaves() {
    misbehaves(|fleet| of_both(fleet, |replica| &replica.sns), 13, LONG).await;
}

#[tokio::test]
async fn the_way_from_clients_to_s3_misbehaves() {
    misbehaves(|fleet| vec![&fleet.clients], 14, TROUBLE).await;
}

/// One replica is cut off from everything, the other carries on; they come back together.
#[tokio::test]
async fn one_replica_is_cut_off() {
    let fleet = Fleet::start(&[]).await;
    let (stories, truth) = through(&fleet, knobs::seed(15), 8, async |dice| {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let replica = &fleet.replicas[dice.roll(2) as usize];
            for gate in [&replica.postgres, &replica.s3, &replica.sns] {
                gate.cut().await;
            }
            tokio::time::sleep(TROUBLE).await;
            fleet.restore();
        }
    })
    .await;
    assert!(
        !truth.delivered.is_empty(),
        "{} stories, and nothing was uploaded",
        stories.len()
    );
}
