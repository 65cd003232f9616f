//! Identity: credentials that say themselves what they are good for, and prove it by a signature.
//!
//! JWTs are an issuer's, upload tokens are ours. Whether the tenant that one names is there, and
//! what it was used for, is for the use cases to ask.

mod claims;
pub mod jwks;
pub mod jwt;
mod key_set;
mod named;
pub mod upload_token;

pub use claims::Grant;
