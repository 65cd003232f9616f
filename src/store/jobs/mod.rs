//! The table `jobs`.
//!
//! Every statement that changes the status of a job runs in a transaction that has locked the row of
//! its upload first, so that the upload can follow its jobs, and no two transactions lock an upload
//! and its jobs in opposite orders. Renewing a lease changes no status and locks only the job.
//!
//! A worker is fenced by the token of its lease ([`store::lease`](super::lease)): a write of a worker
//! whose job was taken over, cancelled or given back changes nothing.
//!
//! | A worker or its process dies | What remains | Who continues |
//! |---|---|---|
//! | before the claim is committed | a queued job | any worker |
//! | while it works | a leased job | any worker, after the lease: [`requeue_lapsed`] |
//! | after the end is committed, before the answer | an ended job | nothing is left to do; a repeated report gets the same answer |

mod backlog;
mod claim;
mod end;
mod find;
mod insert;
mod lapse;
mod list;
mod plan;
mod renew;
mod retry;
mod row;
mod upload_status;

pub use backlog::{Backlog, WaitingJob, backlog, find_longest_waiting};
pub use claim::{Claim, ClaimedJob, claim_due, claim_one, find_tenants_with_due_jobs};
pub use end::{End, end, give_back};
pub use find::{LockedJob, find_of_upload, find_succeeded, lock_job, lock_upload};
pub use insert::insert;
pub use lapse::{Lapsed, requeue_lapsed};
pub use list::{Filter, list};
pub use plan::{PlannedJob, find_planned_jobs, insert_for_current_uploads};
pub use renew::renew;
pub use retry::requeue_failed;
pub use upload_status::follow_jobs;
