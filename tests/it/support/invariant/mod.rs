//! The invariant, over all uploads of a run: Postgres, S3 and the subscriber agree, and none of
//! them denies what a client was told.

mod compare;
mod snapshot;
mod transitions;

use super::fleet::Fleet;
use super::inbox::Message;
use super::load::ClientRecord;
pub use snapshot::Snapshot;

/// Waits until nothing is left to do, then compares everything. `delivered` is what the subscriber
/// has got so far. Fails with each disagreement and the history of its upload.
pub async fn check(
    fleet: &Fleet,
    records: &[ClientRecord],
    delivered: Vec<Message>,
    seed: u64,
) -> Snapshot {
    fleet.restore();
    snapshot::wait_until_idle(fleet).await;
    let snapshot = Snapshot::read(fleet, delivered).await;
    let faults = compare::all(&snapshot, records, fleet);
    if !faults.is_empty() {
        let shown = faults.iter().take(10).cloned().collect::<Vec<_>>();
        panic!(
            "{} disagreements over {} uploads. Again with: FAULT_SEED={seed}\n\n{}",
            faults.len(),
            snapshot.uploads.len(),
            shown.join("\n\n")
        );
    }
    snapshot
}
