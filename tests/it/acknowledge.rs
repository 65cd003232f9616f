//! The acknowledge: what is proven becomes Uploaded, what is not has a problem of its own, and
//! the row is in the right state after each.

mod at_once;
mod claims;
mod levels;
mod limits;
mod mismatch;
mod status;
