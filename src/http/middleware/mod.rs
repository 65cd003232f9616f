//! What happens around every handler, outermost first: the edge, CORS, authentication.

pub mod auth;
pub mod cors;
pub mod edge;
pub(super) mod failure;
mod head;
pub mod request_id;

#[cfg(test)]
mod tests;
