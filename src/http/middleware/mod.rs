//! The layers around all handlers. Outermost first: `close` (closes connections at shutdown),
//! `path_token`, `edge`, `cors`, `limit` for client addresses, `shed`, `auth` (which also writes to
//! the audit trail by `audit`), `limit` for principals.

pub mod audit;
pub mod auth;
pub mod close;
pub mod cors;
pub mod edge;
pub(super) mod failure;
pub mod head;
pub mod limit;
mod observed;
pub mod path_token;
pub mod request_id;
pub mod shed;

#[cfg(test)]
mod tests;
