//! Background loops that finish incomplete work and compare the buckets with Postgres.
//!
//! A round ([`Job::round`]) checks overdue Pending uploads, finishes interrupted deletes, checks
//! deleted and cancelled uploads a final time after their URL has expired, and removes rows whose
//! retention time is over. [`ArrivalLoop`] checks, more often, whether the objects of uploads have
//! arrived that no client acknowledges. The sweep ([`SweepLoop`]) compares every bucket with the rows. A separate
//! loop ([`StaleMultipartLoop`]) aborts multipart uploads that no upload needs any more.
//!
//! Any number of replicas may run all of these loops. A replica leases rows and buckets before it
//! sends a request to S3, and renews the lease while it works on them. Each row is changed by one use
//! case, guarded by its own compare-and-set and fenced by the lease. A row whose work fails is retried
//! later, after the other rows. The rows of a process that dies become available when its lease ends.

mod abort_stale;
mod arrival_loop;
mod dry_run;
mod job;
mod loops;
mod probe_stores;
mod report;
mod row_span;
mod row_tasks;
mod stale_multipart_loop;
mod sweep;
mod task;

pub use abort_stale::{AbortCounts, AbortOutcome, abort_stale};
pub use arrival_loop::ArrivalLoop;
pub use job::{Job, Round, run, run_once};
pub use probe_stores::probe_stores;
pub use report::Report;
pub use stale_multipart_loop::StaleMultipartLoop;
pub use sweep::{SweepLoop, SweepOutcome, sweep};
pub use task::Task;
