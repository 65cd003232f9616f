//! Clients that work while everything around them fails. Most are honest: they follow the
//! contract, try again when there is no answer or a 503, and keep their idempotency key. Some die
//! between two steps or in the middle of one, some send wrong bytes, come late, change their mind.
//! Each story that they live is written down, to be held against what came of it.

mod behavior;
mod client;
mod steps;

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

pub use self::behavior::Behavior;
use self::client::Client;
use super::fleet::Fleet;
use super::seeded_rng::SeededRng;

/// What one client wanted, did and heard.
#[derive(Debug)]
pub struct ClientRecord {
    /// The name of its upload, and its idempotency key; nobody else has it.
    pub name: String,
    pub path: String,
    pub behavior: Behavior,
    /// Every step, in order.
    pub lines: Vec<String>,
    /// The uploads that it was told to be its own.
    pub ids: BTreeSet<String>,
    /// It heard 200 to an acknowledge, a cancel; 204 to a delete.
    pub acknowledged: bool,
    pub cancelled: bool,
    pub deleted: bool,
    /// Answers that should never be.
    pub faults: Vec<String>,
}

/// Lives stories with this many clients at once until `stop`, or until each has lived `most`; each
/// story that has begun is lived to its end.
pub async fn run_clients(
    fleet: &Fleet,
    rng: &mut SeededRng,
    clients: u64,
    most: u64,
    stop: &CancellationToken,
) -> Vec<ClientRecord> {
    let all = (0..clients).map(|client| {
        let mut rng = rng.fork();
        async move {
            let mut records = Vec::new();
            for number in 0..most {
                if stop.is_cancelled() {
                    break;
                }
                let behavior = Behavior::random(&mut rng);
                let name = format!("{client}-{number}");
                let path = behavior.path(&name, number, &mut rng);
                records.push(run_client(fleet, rng.fork(), name, path, behavior).await);
            }
            records
        }
    });
    let all = futures::future::join_all(all).await;
    all.into_iter().flatten().collect()
}

/// One story.
pub async fn run_client(
    fleet: &Fleet,
    rng: SeededRng,
    name: String,
    path: String,
    behavior: Behavior,
) -> ClientRecord {
    let record = ClientRecord {
        name,
        path,
        behavior,
        lines: Vec::new(),
        ids: BTreeSet::new(),
        acknowledged: false,
        cancelled: false,
        deleted: false,
        faults: Vec::new(),
    };
    let mut client = Client { fleet, rng, record };
    // Who dies says nothing more.
    let _ = client.run().await;
    client.record
}
