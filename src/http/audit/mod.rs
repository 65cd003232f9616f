//! `/audit`: who did what.

pub mod list;
pub mod wire;
