//! One set of AWS credentials.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

/// A set of credentials. `Debug` shows the access key id and the expiry, but no secret.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret: SecretString,
    session_token: Option<SecretString>,
    expires_at: Option<DateTime<Utc>>,
}

impl Credentials {
    /// The access key id, which is part of every URL.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// When the credentials expire, in whole seconds; `None` for those of an IAM user.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// Whether they belong to a role or a session. Such credentials expire, even if the expiry is not
    /// known.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.session_token.is_some() || self.expires_at.is_some()
    }

    /// The secret access key.
    pub(in crate::objects) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The session token of temporary credentials.
    pub(in crate::objects) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(ExposeSecret::expose_secret)
    }

    /// Whether they have expired at `now`.
    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether they are equal to `other`.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.access_key_id == other.access_key_id
            && self.secret() == other.secret()
            && self.session_token() == other.session_token()
            && self.expires_at == other.expires_at
    }
}

impl From<&aws_credential_types::Credentials> for Credentials {
    fn from(given: &aws_credential_types::Credentials) -> Self {
        // Some credential files have an empty token, which means none.
        let token = given.session_token().filter(|token| !token.is_empty());
        Self {
            access_key_id: given.access_key_id().to_owned(),
            secret: given.secret_access_key().into(),
            session_token: token.map(SecretString::from),
            expires_at: given.expiry().map(whole_second),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Truncates a time to the second: the lifetime of a URL is in seconds, and it must not outlive the
/// credentials by a fraction of a second.
fn whole_second(time: SystemTime) -> DateTime<Utc> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
