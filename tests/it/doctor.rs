//! `doctor`: what it says of a broker's surroundings that are well, poor, or broken.

mod broken;
mod certificate;
mod cors;
mod database;
mod issuer;
mod notices;
mod policy;
pub mod scene;
mod signals;
mod stores;
mod tenants;
mod well;
