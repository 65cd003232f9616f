//! Processors run in a bounded process, which reads objects as they were proven; its results are
//! written like the object of any upload.

mod by_hand;
mod faults;
mod isolation;
mod limits;
mod read_object;
mod results;
pub mod scene;
mod write_object;
