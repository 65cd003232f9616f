//! Maintenance: work that no caller waits for. The janitor, S3 events and operators trigger it.

pub mod abilities;
pub mod abort_stale;
pub mod arrived;
pub mod check_arrival;
pub mod clean_up;
pub mod expire;
pub mod final_check;
pub mod fold_quotas;
pub mod replay;
pub mod retention;
pub mod row_lease;
pub mod schema;
pub mod sweep;
