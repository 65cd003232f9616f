//! The invariant, over all uploads of a run: Postgres, S3 and the subscriber agree, and none of
//! them denies what a client was told.

mod arrows;
mod check;
mod truth;

use super::fleet::Fleet;
use super::inbox::Message;
use super::load::Story;
pub use truth::Truth;

/// Waits until nothing is left to do, then compares everything. `delivered` is what the subscriber
/// has got so far. Fails with each disagreement and the history of its upload.
pub async fn holds(fleet: &Fleet, stories: &[Story], delivered: Vec<Message>, seed: u64) -> Truth {
    fleet.restore();
    truth::settle(fleet).await;
    let truth = Truth::look(fleet, delivered).await;
    let faults = check::all(&truth, stories, fleet);
    if !faults.is_empty() {
        let shown = faults.iter().take(10).cloned().collect::<Vec<_>>();
        panic!(
            "{} disagreements over {} uploads. Again with: FAULT_SEED={seed}\n\n{}",
            faults.len(),
            truth.uploads.len(),
            shown.join("\n\n")
        );
    }
    truth
}
