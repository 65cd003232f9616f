//! The feed of events: pages of JSON, and live streams.

pub mod list;
pub mod live;
pub mod wire;
