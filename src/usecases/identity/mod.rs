//! Credentials: authenticates callers and manages API keys and upload tokens.

pub mod authenticate;
pub mod keys;
pub mod rights;
pub(in crate::usecases) mod token_key;
pub mod tokens;
