//! Under which lease a job is written to.

use uuid::Uuid;

/// A job, and the token of the lease under which it is written to.
#[derive(Clone, Copy, Debug)]
pub struct LeasedJob {
    /// The job.
    pub id: Uuid,
    /// The token of its lease.
    pub token: Uuid,
}
