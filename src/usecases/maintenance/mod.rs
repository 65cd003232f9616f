//! Work that no caller waits for: what ended, what is left over, what changed in the bucket.

pub mod abilities;
pub mod abort_stale;
pub mod arrived;
pub mod clean_up;
pub mod expire;
pub mod final_check;
pub mod fold_quotas;
pub mod replay;
pub mod retention;
pub mod row_lease;
pub mod sweep;
