//! `/audit`: the audit trail.

pub mod list;
pub mod wire;
