//! The lifetime of pre-signed URLs.

use chrono::{DateTime, TimeDelta, Utc};

use super::error::Error;
use super::limits::MAX_EXPIRES_IN;
use crate::objects::credentials::Credentials;

/// The second at which a URL is signed, and how long it lives.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    /// The signing time, which is a whole second.
    pub(super) second: DateTime<Utc>,
    /// The lifetime in seconds, as in `X-Amz-Expires`.
    pub(super) expires_in: u32,
    /// When the URL expires.
    pub(super) expires_at: DateTime<Utc>,
}

impl Lifetime {
    /// The lifetime of a URL that is signed at `now` and requested to live for `wanted` seconds. It
    /// ends with the credentials at the latest.
    ///
    /// # Errors
    /// The credentials have expired, or the lifetime or the time is out of range.
    pub(super) fn new(
        wanted: u32,
        credentials: &Credentials,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let second = DateTime::from_timestamp(now.timestamp(), 0).ok_or(Error::Time(now))?;
        let expires_in = cap(wanted, credentials, second)?;
        let expires_at = second
            .checked_add_signed(TimeDelta::seconds(expires_in.into()))
            .ok_or(Error::Time(now))?;
        Ok(Self {
            second,
            expires_in,
            expires_at,
        })
    }
}

/// Caps a lifetime in seconds so that it does not exceed that of the credentials.
fn cap(wanted: u32, credentials: &Credentials, second: DateTime<Utc>) -> Result<u32, Error> {
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
