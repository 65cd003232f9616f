//! The address of the client of a request.
//!
//! It is the peer address of the connection, unless the peer is a trusted proxy of the settings.
//! Then it is the address that the proxy states in `Forwarded` (RFC 7239) or `X-Forwarded-For`.
//! Each proxy appends to the list that it received, so that the list is read from right to left,
//! past trusted proxies, to the first address that is not a trusted proxy; any client could have
//! made up the entries further left. A proxy writes one of the two headers and may forward the
//! other as the client sent it: if both are present and give different addresses, both are ignored.
//! An entry that cannot be parsed ends the search at the last proxy that could be.

mod address;
mod forwarded;
mod scheme;
#[cfg(test)]
mod tests;

pub use self::address::{ClientAddress, TrustedProxies, determine};
pub use self::scheme::client_uses_tls;
