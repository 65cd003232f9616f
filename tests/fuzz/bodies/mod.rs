//! What has to hold for any bytes at all: each body panics where it does not. Shared by the fuzz
//! targets and by `make test`.

#![allow(dead_code, reason = "a fuzz target uses one of them")]

pub mod config;
pub mod cursor;
pub mod jwt;
pub mod message;
pub mod path;
pub mod upload_token;
