//! The signing key of one day.
//!
//! Deriving a key costs four HMACs, and an HMAC with a new key hashes two more blocks before the
//! first byte of its message. Both depend only on credentials, day, region and service, so they are
//! computed once a day, together with everything else of a URL that does not change until midnight.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::encode;
use crate::objects::credentials::Credentials;
use crate::objects::endpoint::Endpoint;

/// The key of a day, and the parts of URLs that depend on the same values. It has secrets and
/// therefore no `Debug`.
pub(super) struct DayKey {
    credentials: Arc<Credentials>,
    day: i64,
    mac: Hmac<Sha256>,
    date: String,
    scope: String,
    query: String,
    token: Zeroizing<String>,
}

impl DayKey {
    /// Derives the key for the UTC day of `second`
    /// ("Derive a signing key", IAM user guide).
    pub(super) fn derive(
        credentials: &Arc<Credentials>,
        endpoint: &Endpoint,
        second: DateTime<Utc>,
    ) -> Self {
        let date = second.format("%Y%m%d").to_string();
        let (region, service) = (endpoint.region(), endpoint.service());
        let scope = format!("{date}/{region}/{service}/aws4_request");

        let secret = Zeroizing::new(format!("AWS4{}", credentials.secret()));
        let mut key = prepare(secret.as_bytes());
        for message in [date.as_str(), region, service, "aws4_request"] {
            key.update(message.as_bytes());
            let mut next = key.finalize().into_bytes();
            key = prepare(&next);
            next.zeroize();
        }

        let mut query = String::from("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
        encode::value(&mut query, credentials.access_key_id());
        encode::value(&mut query, "/");
        encode::value(&mut query, &scope);
        query.push_str("&X-Amz-Date=");
        query.push_str(&date);

        let mut token = Zeroizing::new(String::new());
        if let Some(session) = credentials.session_token() {
            token.push_str("&X-Amz-Security-Token=");
            encode::value(&mut token, session);
        }
        Self {
            credentials: Arc::clone(credentials),
            day: day_of(second),
            mac: key,
            date,
            scope,
            query,
            token,
        }
    }

    /// Whether this key is the one for these credentials at this time.
    ///
    /// Credentials are compared by address. The key keeps its credentials alive, so no others can
    /// be at the same address.
    pub(super) fn fits(&self, credentials: &Arc<Credentials>, second: DateTime<Utc>) -> bool {
        Arc::ptr_eq(&self.credentials, credentials) && self.day == day_of(second)
    }

    /// Signs a string to sign.
    pub(super) fn sign(&self, string_to_sign: &str) -> [u8; 32] {
        self.start(string_to_sign).finalize().into_bytes().into()
    }

    /// Starts the signature of a string to sign that starts with `text`.
    pub(super) fn start(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        mac
    }

    /// The day as `YYYYMMDD`.
    pub(super) fn date(&self) -> &str {
        &self.date
    }

    /// `date/region/service/aws4_request`.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// The encoded query from `X-Amz-Algorithm` to the date part of `X-Amz-Date`.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// The encoded parameter `&X-Amz-Security-Token=…`; empty for credentials without a session
    /// token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

fn day_of(second: DateTime<Utc>) -> i64 {
    second.timestamp().div_euclid(encode::SECONDS_A_DAY)
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104); the Result is the trait's"
)]
fn prepare(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
