//! The HTTP client of one broker.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use crate::client::error::{Error, Result};
use crate::client::retry::RetryLimits;
use crate::client::settings::Settings;

/// How long opening a connection may take.
pub const CONNECT: Duration = Duration::from_secs(10);
/// The `User-Agent` of this client.
pub const USER_AGENT: &str = concat!("upload-broker/", env!("CARGO_PKG_VERSION"));

/// A client of one broker, authenticated by one key.
#[derive(Debug)]
pub struct Api {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    pub(super) retry_limits: RetryLimits,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries of the page.
    pub items: Vec<T>,
    /// The query string of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl Api {
    /// The base URL of the broker.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How often requests to the broker are retried.
    pub fn retry_limits(&self) -> &RetryLimits {
        &self.retry_limits
    }

    /// Creates a client of the configured broker. Sends nothing yet.
    ///
    /// # Errors
    /// Fails if the key cannot be an HTTP header value, or if the system lacks what TLS needs.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.key {
            // The concatenated string itself becomes the header value, so no other copy of the key
            // remains in memory.
            let value = ["Bearer ", key.expose_secret()].concat();
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                Error::settings("the key contains characters that an API key cannot have")
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            // The broker redirects to the store, and the key must not be sent there.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Failed(format!("cannot create an HTTP client: {error}")))?;
        Ok(Self {
            http,
            url: settings.url.clone(),
            retry_limits: RetryLimits::default(),
        })
    }
}
