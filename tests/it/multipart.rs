//! Uploads in parts, below the use cases: how objects are cut, URLs that take one part each, and
//! what the store makes of them.

mod answers;
mod complete;
mod listing;
mod part_urls;
mod plan;
mod scene;
