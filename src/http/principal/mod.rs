//! `/principal`: the caller.

pub mod show;
