//! Typed calls of the broker, by the HTTP contract.
//!
//! Every call here may be repeated without harm: reads by nature, creates by their
//! `Idempotency-Key`, the other verbs by the contract. So all are, when nobody answers, when the
//! broker is overloaded, and after a 5xx; within the bounds of [`Patience`].

mod datasets;
mod link;
mod parts;
pub mod problem;
mod send;
mod time;
mod uploads;
pub mod wire;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

pub use datasets::{Copy, Detail, Entry, Listing};
pub use parts::Wanted;
pub use uploads::{Acknowledged, Filter};

use super::error::{Error, Result};
use super::retry::Patience;
use super::settings::Settings;

/// How long a connection may take to open.
pub const CONNECT: Duration = Duration::from_secs(10);
/// What we call ourselves.
pub const USER_AGENT: &str = concat!("upload-broker/", env!("CARGO_PKG_VERSION"));

/// The broker, as the holder of one key sees it.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    url: String,
    patience: Patience,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What asks for the next page; `None` at the end.
    pub next: Option<String>,
}

impl Api {
    /// Where the broker is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long to go on asking the broker.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// A client of the broker that the settings name. Does not call it yet.
    ///
    /// # Errors
    /// A key that no header can hold, or a system without what TLS needs.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.key {
            // It becomes the header as it stands: no copy of ours is left to wipe.
            let value = ["Bearer ", key.expose_secret()].concat();
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| Error::settings("the key holds characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            // A redirect of the broker leads to the store: the key must not follow it.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Failed(format!("no HTTP client: {error}")))?;
        Ok(Self {
            http,
            url: settings.url.clone(),
            patience: Patience::default(),
        })
    }
}
