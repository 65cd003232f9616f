//! Uploads in parts below the use cases: how objects are cut into parts, URLs for one part each,
//! and how the store completes them.

mod answers;
mod complete;
mod listing;
mod part_urls;
mod plan;
mod scene;
