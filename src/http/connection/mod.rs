//! The state that the socket of a connection and the service behind it share.
//!
//! The dispatcher of the framework is between the two: it passes requests in one direction and
//! responses in the other. Three rules of HTTP concern both ends and are implemented here:
//!
//! - After a response with `Connection: close`, no further request of the connection is processed,
//!   not even one that has already been read (RFC 9112, section 9.6).
//! - A body that the handler did not read is drained up to a small limit, so that the client gets
//!   its response; then the connection is closed (RFC 9112, section 9.6; RFC 9110, section 10.1.1).
//! - `100 Continue` is sent only when a handler reads the body (RFC 9110, section 10.1.1). A
//!   request that is rejected because of its head never gets it.
//!
//! `service` applies the rules, `timed_socket` is the socket, and [`Connection`] is the shared
//! state.

mod body;
mod interim;
pub mod service;
mod state;
pub mod timed_socket;

pub use state::Connection;
