//! `/jobs` and the routes of `/uploads/{id}` that report and show processing.

pub mod claim;
pub mod list;
pub mod of_upload;
pub mod report;
pub mod results;
pub mod retry;
pub mod wire;
