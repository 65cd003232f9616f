//! The HTTP API: operations, problems, authentication, OpenAPI.
//!
//! A request passes the layers of `middleware` and the extractors of its handler (`extract`), and
//! then the handler calls one use case. Every failure becomes a problem (`problem`) with the id of
//! the request; its cause is logged by `middleware::edge` and never sent to the client.
//!
//! Each handler declares its operation next to itself (`operation`), and `operations` lists them
//! all.

mod accept;
mod access;
pub mod audit;
mod audited;
mod backlog;
pub mod client_address;
mod connection;
pub mod datasets;
pub mod documents;
pub mod events;
pub mod extract;
mod handshake;
mod html;
pub mod jobs;
mod limit;
mod listen;
mod long_array;
pub mod middleware;
mod ndjson;
pub mod openapi;
pub mod operation;
pub mod operations;
pub mod page;
pub mod principal;
pub mod problem;
pub mod routes;
pub mod server;
pub mod service;
mod sse;
pub mod static_document;
pub mod tenants;
pub mod tls;
pub mod tokens;
pub mod uploads;
pub mod uppy;
pub mod wire;
