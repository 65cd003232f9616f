//! Errors of signing.

use chrono::{DateTime, Utc};

use super::limits::MAX_EXPIRES_IN;

/// Why a URL was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The credentials have expired, or expire in less than a second.
    #[error("the signing credentials expired at {0}")]
    CredentialsExpired(DateTime<Utc>),
    /// The requested lifetime is not between 1 and 604,800 seconds.
    #[error("a pre-signed URL lives 1 to {MAX_EXPIRES_IN} seconds, not {0}")]
    ExpiresIn(u32),
    /// The value of the named header cannot be sent over HTTP.
    #[error("header {0} has a control character in its value")]
    HeaderValue(String),
    /// The signing time is out of range.
    #[error("{0} is not a valid signing time")]
    Time(DateTime<Utc>),
}
