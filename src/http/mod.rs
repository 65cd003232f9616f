//! HTTP: routes, problems, authentication, OpenAPI.
//!
//! A request passes the layers of `middleware`, then the extractors of its handler (`extract`),
//! then one use case. Whatever fails on the way becomes a problem (`problem`) with the request's
//! id; the cause is logged at the edge and never shown.

mod accept;
mod access;
pub mod audit;
mod backlog;
pub mod client_address;
mod connection;
pub mod datasets;

pub mod extract;
mod handshake;
mod html;
mod limit;
mod listen;
mod long_array;
pub mod middleware;
mod ndjson;
mod noted;
pub mod openapi;
pub mod operation;
pub mod operations;
pub mod problem;
pub mod routes;
pub mod server;
pub mod service;
pub mod tls;
pub mod tokens;
pub mod uploads;
pub mod wire;
