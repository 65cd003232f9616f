//! Two hundred clients race for twenty paths through both replicas: on ten paths the first one
//! wins, on ten paths the last one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::listen;
use crate::support::dice::Dice;
use crate::support::fleet::Fleet;
use crate::support::invariant;
use crate::support::knobs;
use crate::support::load::{self, Plan};

#[tokio::test]
async fn two_hundred_clients_on_twenty_paths_leave_one_current_upload_each() {
    let seed = knobs::seed(31);
    // Long enough that no session expires on a slow machine.
    let life = ("BROKER_URL_SECONDS", "10".to_owned());
    let fleet = Fleet::start(&[life]).await;
    // One replica sees an older state of the bucket than the other one.
    fleet.replicas[0].s3.delay(Duration::from_millis(40));
    let (mut dice, stop) = (Dice(seed), CancellationToken::new());
    let clients = (0..200_u64).map(|number| {
        let (plan, path) = match number % 20 {
            place @ 0..10 => (Plan::Contest, format!("/first/{place}.csv")),
            place => (Plan::Overwrite, format!("/last/{place}.csv")),
        };
        load::tell(&fleet, dice.fork(), number.to_string(), path, plan)
    });
    let race = async {
        let stories = join_all(clients).await;
        (stories, stop.cancel()).0
    };
    let (stories, delivered) = tokio::join!(race, listen(&fleet, &stop));
    let truth = invariant::holds(&fleet, &stories, delivered, seed).await;

    let mut current = BTreeMap::<_, usize>::new();
    for row in truth.uploads.values() {
        if row.status == "Uploaded" {
            *current.entry(row.key.clone()).or_default() += 1;
        }
    }
    assert!(current.values().all(|count| *count == 1), "{current:?}");
    assert!(current.len() >= 10, "hardly anybody won: {current:?}");
}
