//! AWS Signature Version 4 for pre-signed URLs.
//!
//! Handing out URLs is what this service is for, so the signer is its own: the day's key is
//! derived once, a URL costs one allocation and five to ten SHA-256 blocks, and the lifetime that
//! it answers is the true one. `tests/it/signing*.rs` holds every URL against aws-sdk-s3's
//! `presigned()`, byte for byte.
//!
//! Signing is pure computation: no I/O, no waiting, no time of its own. It fails when the
//! credentials have expired or when what is to be signed cannot be signed; nothing is kept then.

mod encode;
mod get;
mod headers;
mod key;
mod part;
mod presign;
mod put;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};

pub use self::get::{GetObject, ReadMethod};
pub use self::part::{PartSigner, UploadPart};
pub use self::presign::PresignRequest;
pub use self::put::{Checksum, Precondition, PresignedPut, PutObject};

use self::key::DayKey;
use self::presign::Draft;
use super::credentials::Credentials;
use super::endpoint::Endpoint;

/// The longest life of a pre-signed URL, in seconds: one week ("Download and upload objects with
/// presigned URLs", S3 user guide).
pub const MAX_EXPIRES_IN: u32 = 604_800;

/// Why a URL was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The credentials are past their end, or less than a second before it.
    #[error("the signing credentials expired at {0}")]
    CredentialsExpired(DateTime<Utc>),
    /// A lifetime outside of 1 to 604,800 seconds was asked for.
    #[error("a pre-signed URL lives 1 to {MAX_EXPIRES_IN} seconds, not {0}")]
    ExpiresIn(u32),
    /// The named header's value cannot be sent over HTTP.
    #[error("header {0} has a control character in its value")]
    HeaderValue(String),
    /// The signing time is out of all bounds.
    #[error("{0} is no time to sign at")]
    Time(DateTime<Utc>),
}

/// A pre-signed URL and the moment at which it stops working.
///
/// The URL is a credential: `Debug` does not show its signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// The URL.
    pub url: String,
    /// Signing second plus `X-Amz-Expires`: never later than the credentials live.
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

/// Signs URLs for one endpoint. Shared by all threads.
pub struct Signer {
    endpoint: Arc<Endpoint>,
    /// The latest day's key. An `ArcSwap`, not a lock: this is read for every URL on every worker
    /// and changes once a day, and a reader of it writes to no memory that others read.
    day_key: ArcSwapOption<DayKey>,
}

impl Signer {
    /// A signer for an endpoint that was learnt.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            day_key: ArcSwapOption::empty(),
        }
    }

    /// The endpoint that is signed for.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Signs `request` at `now`, cut to the second.
    ///
    /// `expires_in` is cut so that the URL does not outlive the credentials; `expires_at` says
    /// what came of it.
    ///
    /// # Errors
    /// Expired credentials, a lifetime out of bounds, a header value that HTTP cannot carry.
    pub fn presign(
        &self,
        request: &PresignRequest<'_>,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<Presigned, Error> {
        let second = DateTime::from_timestamp(now.timestamp(), 0).ok_or(Error::Time(now))?;
        let expires = lifetime(request.expires_in, credentials, second)?;
        let expires_at = second
            .checked_add_signed(TimeDelta::seconds(expires.into()))
            .ok_or(Error::Time(now))?;
        let url = self.with_key(credentials, second, |key| {
            let draft = Draft {
                endpoint: &self.endpoint,
                key,
                request,
                second,
                expires,
            };
            draft.sign()
        })?;
        Ok(Presigned { url, expires_at })
    }

    /// Around midnight two threads may derive a key in turns, for as long as their times differ:
    /// some microseconds more each, and never a wrong key.
    fn with_key<T>(
        &self,
        credentials: &Arc<Credentials>,
        second: DateTime<Utc>,
        sign: impl FnOnce(&DayKey) -> T,
    ) -> T {
        let cached = self.day_key.load();
        if let Some(key) = cached.as_deref()
            && key.fits(credentials, second)
        {
            return sign(key);
        }
        let derived = Arc::new(DayKey::derive(credentials, &self.endpoint, second));
        self.day_key.store(Some(Arc::clone(&derived)));
        sign(&derived)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signer")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The seconds that a URL may live: as many as wanted, at most until the credentials end.
fn lifetime(wanted: u32, credentials: &Credentials, second: DateTime<Utc>) -> Result<u32, Error> {
    if !(1..=MAX_EXPIRES_IN).contains(&wanted) {
        return Err(Error::ExpiresIn(wanted));
    }
    let Some(end) = credentials.expires_at() else {
        return Ok(wanted);
    };
    match (end - second).num_seconds() {
        ..=0 => Err(Error::CredentialsExpired(end)),
        left => Ok(u32::try_from(left).map_or(wanted, |left| wanted.min(left))),
    }
}
