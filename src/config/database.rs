//! Postgres.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::parse::{flag, number, seconds};
use super::reader::{Reader, Section};
use super::redact::shown;
use super::variable::Show;
use super::variables::{
    BROKER_DB_CONNECT_TIMEOUT_SECONDS, BROKER_DB_POOL_SIZE, BROKER_MIGRATE, DATABASE_URL,
};

/// How to reach Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is, with the password.
    pub url: DatabaseUrl,
    /// Connections at most.
    pub pool_size: usize,
    /// How long a connection may take to open, or to come free.
    pub connect_timeout: Duration,
    /// Whether `serve` migrates at its start.
    pub migrate: bool,
}

/// A Postgres URL. Shown, its password is `***`.
#[derive(Clone)]
pub struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// The whole URL, with the password.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let right = "must be a URL such as postgres://user:password@host:5432/database";
        let url = Url::parse(text).map_err(|error| format!("{right} ({error})"))?;
        let scheme = matches!(url.scheme(), "postgres" | "postgresql");
        if !scheme || url.cannot_be_a_base() || !url.has_authority() {
            return Err(right.to_owned());
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(Show::Url, self.expose()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.value(&DATABASE_URL, DatabaseUrl::parse);
        let pool_size = reader.value(&BROKER_DB_POOL_SIZE, number(1..=1000));
        let connect_timeout = reader.value(&BROKER_DB_CONNECT_TIMEOUT_SECONDS, seconds(1..=300));
        let migrate = reader.value(&BROKER_MIGRATE, flag);
        Some(Self {
            url: url?,
            pool_size: pool_size?,
            connect_timeout: connect_timeout?,
            migrate: migrate?,
        })
    }
}
