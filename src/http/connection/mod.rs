//! One connection: what its socket and the service behind it have to know of each other.
//!
//! The dispatcher of the framework stands between the two and passes bytes in one direction and
//! responses in the other. Three rules of HTTP need both ends, and are kept here:
//!
//! - After a response with `Connection: close` no further request of the connection is carried
//!   out, also one that was read already (RFC 9112, section 9.6).
//! - A body that the handler did not read is read on within a small bound, so that the client
//!   gets its response; then the connection ends (RFC 9112, section 9.6; RFC 9110, section 10.1.1).
//! - `100 Continue` is sent once a handler reads the body, and not before (RFC 9110, section
//!   10.1.1): a request that is refused for its head never gets it.
//!
//! `service` applies the rules, `patient` is the socket, and [`Connection`] is what they share.

mod body;
mod interim;
pub mod patient;
pub mod service;
mod state;

pub use state::Connection;
