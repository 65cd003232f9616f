//! Work that no caller waits for: what ended, what is left over, what changed in the bucket.

pub mod abilities;
pub mod abort_stale;
pub mod arrived;
pub mod claim;
pub mod expire;
pub mod forget;
pub mod replay;
pub mod retain;
pub mod settle;
pub mod sweep;
pub mod tidy_quotas;
