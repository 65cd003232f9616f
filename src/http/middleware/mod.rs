//! What happens around every handler, outermost first: the edge, CORS, shedding of load,
//! authentication, the audit's witness.

pub mod auth;
pub mod cors;
pub mod edge;
pub(super) mod failure;
pub mod goodbye;
mod head;
pub mod request_id;
pub mod shed;
pub mod witness;

#[cfg(test)]
mod tests;
