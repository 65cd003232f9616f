//! Credentials: who calls, and with which rights.

pub mod authenticate;
pub mod keys;
pub(in crate::usecases) mod token_key;
pub mod tokens;
