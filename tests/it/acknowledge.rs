//! Tests of acknowledge: a proven upload becomes Uploaded, every other outcome has its own problem
//! code, and the row is in the right state after each.

mod at_once;
mod expected_values;
mod levels;
mod limits;
mod mismatch;
mod status;
