//! Clients that upload while the services around them fail. Most of them follow the contract: they retry when
//! there is no response or a 503, with the same idempotency key. Some crash between two steps or during one,
//! send wrong bytes, send after the URL has expired, or cancel. Each client records its steps, so that they can
//! be compared with the result.

mod behavior;
mod client;
mod steps;

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

pub use self::behavior::Behavior;
use self::client::Client;
use super::fleet::Fleet;
use super::seeded_rng::SeededRng;

/// The behavior, steps and responses of one client.
#[derive(Debug)]
pub struct ClientRecord {
    /// The unique name of its upload, which is part of its idempotency key.
    pub name: String,
    pub path: String,
    pub behavior: Behavior,
    /// Every step, in order.
    pub lines: Vec<String>,
    /// The ids of uploads that it received.
    pub ids: BTreeSet<String>,
    /// Whether it received a 200 to an acknowledge or a cancel, or a 204 to a delete.
    pub acknowledged: bool,
    pub cancelled: bool,
    pub deleted: bool,
    /// Responses that must never occur.
    pub faults: Vec<String>,
}

/// Runs this many clients at the same time until `stop`, each at most `most` times. Runs that have started are
/// finished.
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

/// Runs one client.
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
    // An error means that the client has crashed or given up; its record says so.
    let _ = client.run().await;
    client.record
}
