//! The web page at `/`: its files are in the binary, and it uses the API like any other client.
//!
//! `make page` builds it in `web/page`. A binary that was built without it shows how to get it.

mod files;
mod policy;
mod serve;

pub use policy::ContentPolicy;
pub use serve::{asset, start};
