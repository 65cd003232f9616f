//! The invariant of all uploads of a run: Postgres, S3 and the subscriber agree with each other, and with the
//! responses that the clients received.

mod compare;
mod snapshot;
mod transitions;

use super::fleet::Fleet;
use super::inbox::Message;
use super::load::ClientRecord;
pub use snapshot::Snapshot;

/// Waits until the replicas have no work left, then compares everything. `delivered` contains the messages that
/// the subscriber has received so far. Fails with a list of violations, each with the history of its upload.
pub async fn check(
    fleet: &Fleet,
    records: &[ClientRecord],
    delivered: Vec<Message>,
    seed: u64,
) -> Snapshot {
    fleet.restore();
    snapshot::wait_until_idle(fleet).await;
    let snapshot = Snapshot::read(fleet, delivered).await;
    let violations = compare::all(&snapshot, records, fleet);
    if !violations.is_empty() {
        let shown = violations.iter().take(10).cloned().collect::<Vec<_>>();
        panic!(
            "{} violations in {} uploads. To repeat the run: FAULT_SEED={seed}\n\n{}",
            violations.len(),
            snapshot.uploads.len(),
            shown.join("\n\n")
        );
    }
    snapshot
}
