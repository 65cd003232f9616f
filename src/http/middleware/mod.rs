//! What happens around every handler, outermost first: tokens leave the path, then the edge, CORS,
//! the limit of an address, shedding of load, authentication, the audit's witness, the limit of a
//! principal.

pub mod auth;
pub mod cors;
pub mod edge;
pub(super) mod failure;
pub mod goodbye;
pub mod head;
pub mod limit;
pub mod path_token;
pub mod request_id;
pub mod shed;
pub mod witness;

#[cfg(test)]
mod tests;
