//! The content security policy of the page: only its own files, and requests to the broker and the
//! store.
//!
//! Source: <https://www.w3.org/TR/CSP3/>

use actix_web::http::header::HeaderValue;

use crate::usecases::Broker;

/// The value of the `Content-Security-Policy` header.
#[derive(Clone, Debug)]
pub struct ContentPolicy(HeaderValue);

impl ContentPolicy {
    /// The policy for the stores of this broker. If an origin cannot be part of a header, the page
    /// can only reach the broker.
    pub fn of(broker: &Broker) -> Self {
        let stores = broker.store_origins().join(" ");
        let text = policy(&stores);
        Self(HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(OWN_FILES)))
    }

    /// The value of the header.
    pub fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

const OWN_FILES: &str = "default-src 'self'; object-src 'none'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// Images are shown from the store (thumbnails) and from files of the user (`blob:`).
fn policy(stores: &str) -> String {
    format!("{OWN_FILES}; connect-src 'self' {stores}; img-src 'self' data: blob: {stores}")
}
