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

use crate::support::fleet::Fleet;
use crate::support::inbox::Message;
use crate::support::invariant::{self, Snapshot};
use crate::support::load::{self, ClientRecord};
use crate::support::seeded_rng::SeededRng;

/// Clients run their scripts until `trouble` is over. Then the invariant must hold.
async fn run_under_load(
    fleet: &Fleet,
    seed: u64,
    clients: u64,
    trouble: impl AsyncFnOnce(&mut SeededRng),
) -> (Vec<ClientRecord>, Snapshot) {
    let mut rng = SeededRng(seed);
    let stop = CancellationToken::new();
    let mut others = rng.fork();
    let load = async {
        let records = load::run_clients(fleet, &mut rng, clients, u64::MAX, &stop).await;
        (records, stop.cancel()).0
    };
    let trouble = async {
        trouble(&mut others).await;
        stop.cancel();
    };
    let (records, (), delivered) = tokio::join!(load, trouble, listen(fleet, &stop));
    let snapshot = invariant::check(fleet, &records, delivered, seed).await;
    (records, snapshot)
}

/// The messages that the subscriber receives until `stop`.
async fn listen(fleet: &Fleet, stop: &CancellationToken) -> Vec<Message> {
    let mut delivered = Vec::new();
    while !stop.is_cancelled() {
        delivered.extend(fleet.inbox.poll(Duration::from_secs(1)).await);
    }
    delivered
}
