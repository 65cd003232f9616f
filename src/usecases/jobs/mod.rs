//! Jobs: what becomes of a dataset after it arrived.
//!
//! A job is the work of one processor on one upload. Rules queue jobs in the transaction that marks
//! an upload Uploaded; another system's first report creates its own. Workers of this program, and
//! other systems through HTTP, claim jobs under leases, renew them, and report the end.
//!
//! The upload follows its jobs in the same transaction
//! ([`following_transition`](crate::domain::job::following_transition)). Each transaction locks the
//! row of the upload first. S3 is never called inside one: outputs are checked before.
//!
//! | Fault | What remains |
//! |---|---|
//! | the answer to a claim is lost | a leased job without a worker; it is queued again when the lease ends |
//! | the answer to the last report is lost | an ended job; the same report again gets the same answer |
//! | two workers report at once | the token of the lease decides; the other one gets `lease-lost` |
//! | the upload is replaced or deleted meanwhile | a cancelled job; its worker gets `lease-lost` |

mod apply_report;
pub mod attempt;
mod backoff;
pub mod cause;
pub mod claim;
pub mod list;
mod measure;
mod outputs;
pub mod plan;
pub mod report;
mod report_refusals;
mod requeue_lapsed;
pub mod results;
pub mod retry;
pub mod write_result;

pub use measure::measure;
pub use requeue_lapsed::requeue_lapsed;

use std::time::Duration;

use crate::domain::job::{LEASE_BOUNDS, is_processor_name};
use crate::usecases::faults::Faults;

/// The processor if a request does not name one.
pub const DEFAULT_PROCESSOR: &str = "default";
/// The length of a lease if a request does not set one.
const DEFAULT_LEASE: Duration = Duration::from_secs(300);

/// Adds a fault if `name` is not the name of a processor.
fn check_processor(faults: &mut Faults, name: &str) {
    if !is_processor_name(name) {
        let detail = "expected 1 to 64 of a-z, 0-9 and -, not starting with -";
        faults.add("/processor", detail);
    }
}

/// Returns the length of a lease in seconds, or adds a fault if it is out of bounds.
fn check_lease(faults: &mut Faults, seconds: Option<u32>) -> Duration {
    let Some(seconds) = seconds else {
        return DEFAULT_LEASE;
    };
    let length = Duration::from_secs(seconds.into());
    let (shortest, longest) = LEASE_BOUNDS;
    if length < shortest || length > longest {
        let (shortest, longest) = (shortest.as_secs(), longest.as_secs());
        faults.add(
            "/lease_seconds",
            format!("must be from {shortest} to {longest}"),
        );
    }
    length
}
