//! Two hundred clients race for twenty paths through both replicas: on ten paths the first one
//! wins, on ten paths the last one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::listen;
use crate::support::fleet::Fleet;
use crate::support::invariant;
use crate::support::load::{self, Behavior};
use crate::support::options;
use crate::support::seeded_rng::SeededRng;

#[tokio::test]
async fn two_hundred_clients_on_twenty_paths_leave_one_current_upload_each() {
    let seed = options::seed(31);
    // Long enough that no session expires on a slow machine.
    let life = ("BROKER_URL_SECONDS", "10".to_owned());
    let fleet = Fleet::start(&[life]).await;
    // One replica sees an older state of the bucket than the other one.
    fleet.replicas[0].s3.delay(Duration::from_millis(40));
    let (mut rng, stop) = (SeededRng(seed), CancellationToken::new());
    let clients = (0..200_u64).map(|number| {
        let (behavior, path) = match number % 20 {
            place @ 0..10 => (Behavior::CompeteForPath, format!("/first/{place}.csv")),
            place => (Behavior::Overwrite, format!("/last/{place}.csv")),
        };
        load::run_client(&fleet, rng.fork(), number.to_string(), path, behavior)
    });
    let race = async {
        let records = join_all(clients).await;
        (records, stop.cancel()).0
    };
    let (records, delivered) = tokio::join!(race, listen(&fleet, &stop));
    let snapshot = invariant::check(&fleet, &records, delivered, seed).await;

    let mut current = BTreeMap::<_, usize>::new();
    for row in snapshot.uploads.values() {
        if row.status == "Uploaded" {
            *current.entry(row.key.clone()).or_default() += 1;
        }
    }
    assert!(current.values().all(|count| *count == 1), "{current:?}");
    assert!(current.len() >= 10, "hardly anybody won: {current:?}");
}
