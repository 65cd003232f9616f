//! Signed credentials, which contain their own rights: JWTs and upload tokens.
//!
//! An external issuer signs JWTs, the broker signs upload tokens. The use cases check whether the
//! tenant of a credential exists, and how much of its allowance has been used.

mod claims;
pub mod jwks;
pub mod jwt;
mod key_set;
mod other_claims;
pub mod upload_token;

pub use claims::Grant;
