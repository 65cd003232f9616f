//! Properties that must hold for any input. Each body panics if its property does not hold. The fuzz targets and
//! `make test` share the bodies.

#![allow(dead_code, reason = "each fuzz target uses only one body")]

pub mod config;
pub mod cursor;
pub mod jwt;
pub mod message;
pub mod path;
pub mod upload_token;
