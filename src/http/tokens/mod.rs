//! `/tokens`: upload tokens for browsers.

pub mod create;
