//! A pre-signed URL.

use std::fmt;

use chrono::{DateTime, Utc};

/// A pre-signed URL and when it expires.
///
/// The URL is a credential: `Debug` does not show its signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// The URL.
    pub url: String,
    /// The signing time plus `X-Amz-Expires`, which is not later than the expiry of the credentials.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Presigned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.split('?').next().unwrap_or_default();
        out.debug_struct("Presigned")
            .field("url", &format_args!("{shown}?***"))
            .field("expires_at", &self.expires_at)
            .finish()
    }
}
