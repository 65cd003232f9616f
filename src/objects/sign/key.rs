//! The signing key of one day, ready to use.
//!
//! Deriving a key costs four HMACs, and an HMAC with a fresh key hashes two more blocks before
//! the first byte of its message. Both depend only on credentials, day, region and service, so
//! they are done once a day, with everything else of a URL that stays the same till midnight.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::encode;
use crate::objects::credentials::Credentials;
use crate::objects::endpoint::Endpoint;

/// A day's key and the text that goes with it. Holds secrets: no `Debug`.
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

    /// Whether this key signs for these credentials at that time.
    ///
    /// Credentials are compared by address: this key holds on to its own, so no others can have
    /// come to lie at the same one.
    pub(super) fn fits(&self, credentials: &Arc<Credentials>, second: DateTime<Utc>) -> bool {
        Arc::ptr_eq(&self.credentials, credentials) && self.day == day_of(second)
    }

    /// The signature of a string to sign.
    pub(super) fn sign(&self, string_to_sign: &str) -> [u8; 32] {
        self.begin(string_to_sign).finalize().into_bytes().into()
    }

    /// The signature of a string to sign that begins so, still to be ended.
    pub(super) fn begin(&self, start: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(start.as_bytes());
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

    /// The query from `X-Amz-Algorithm` to the date half of `X-Amz-Date`, encoded.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// `&X-Amz-Security-Token=…`, encoded; empty for credentials without a session.
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
