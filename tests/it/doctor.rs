//! `doctor`: its report about settings and services that are correct, degraded or broken.

mod broken;
mod certificate;
mod cors;
mod database;
mod issuer;
mod notices;
mod policy;
mod public_endpoint;
pub mod scene;
mod signals;
mod stores;
mod tenants;
mod well;
