//! `/usage`: the usage of the caller's tenant.

pub mod usage;
