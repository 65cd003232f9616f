//! Two replicas with one database and one bucket under load while something fails. After each test
//! one invariant must hold for all of its uploads: see `support/invariant`.

mod crashes;
mod crashes_in_parts;
mod kills;
mod outages;
mod racing;
mod relay_crashes;
mod rolling;
mod s3_events;
mod takeover;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::support::dice::Dice;
use crate::support::fleet::Fleet;
use crate::support::inbox::Message;
use crate::support::invariant::{self, Truth};
use crate::support::load::{self, Story};

/// Clients run their scripts until `trouble` is over. Then the invariant must hold.
async fn run_under_load(
    fleet: &Fleet,
    seed: u64,
    clients: u64,
    trouble: impl AsyncFnOnce(&mut Dice),
) -> (Vec<Story>, Truth) {
    let mut dice = Dice(seed);
    let stop = CancellationToken::new();
    let mut others = dice.fork();
    let load = async {
        let stories = load::live(fleet, &mut dice, clients, u64::MAX, &stop).await;
        (stories, stop.cancel()).0
    };
    let trouble = async {
        trouble(&mut others).await;
        stop.cancel();
    };
    let (stories, (), delivered) = tokio::join!(load, trouble, listen(fleet, &stop));
    let truth = invariant::holds(fleet, &stories, delivered, seed).await;
    (stories, truth)
}

/// The messages that the subscriber receives until `stop`.
async fn listen(fleet: &Fleet, stop: &CancellationToken) -> Vec<Message> {
    let mut delivered = Vec::new();
    while !stop.is_cancelled() {
        delivered.extend(fleet.inbox.poll(Duration::from_secs(1)).await);
    }
    delivered
}
