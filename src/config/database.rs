//! Postgres.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::hosts;
use super::parse::{Seconds, flag, fraction, number};
use super::reader::{Reader, Section};
use super::redact::shown;
use super::variable::Show;
use super::variables::{
    BROKER_DB_CONNECT_TIMEOUT_SECONDS, BROKER_DB_POOL_SIZE, BROKER_DB_POOL_WAIT_SECONDS,
    BROKER_DB_STATEMENT_TIMEOUT_SECONDS, BROKER_MIGRATE, BROKER_REQUEST_TIMEOUT_SECONDS,
    DATABASE_URL,
};

/// How long a statement may take where nothing else is said.
const STATEMENT: Duration = Duration::from_secs(15);

/// How to reach Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is, with the password.
    pub url: DatabaseUrl,
    /// Connections at most.
    pub pool_size: usize,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long to wait for one that is free.
    pub pool_wait: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
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

    /// Whether the server has to prove who it is: `sslmode=verify-full`.
    pub fn verifies_server(&self) -> bool {
        let (_, parameters) = self.expose().split_once('?').unwrap_or_default();
        parameters
            .split('&')
            .any(|pair| pair == "sslmode=verify-full")
    }

    /// One URL for each host that a URL of Postgres names, in their order, with the password.
    pub fn hosts_of(url: &str) -> Vec<SecretString> {
        hosts::each(url).into_iter().map(Into::into).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let right = "must be a URL such as postgres://user:password@host:5432/database";
        for url in hosts::each(text) {
            let url = Url::parse(&url).map_err(|error| format!("{right} ({error})"))?;
            let scheme = matches!(url.scheme(), "postgres" | "postgresql");
            if !scheme || url.cannot_be_a_base() || !url.has_authority() {
                return Err(right.to_owned());
            }
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

impl Database {
    /// Reads them; a statement may take no longer than a `request`.
    pub(super) fn read(reader: &mut Reader<'_>, request: Duration) -> Option<Self> {
        let url = reader.value(&DATABASE_URL, DatabaseUrl::parse);
        let pool_size = reader.value(&BROKER_DB_POOL_SIZE, number(1..=1000));
        let connect_timeout = reader.value(&BROKER_DB_CONNECT_TIMEOUT_SECONDS, fraction(300));
        let pool_wait = reader.value(&BROKER_DB_POOL_WAIT_SECONDS, fraction(300));
        let statement_timeout = reader.derived(
            &BROKER_DB_STATEMENT_TIMEOUT_SECONDS,
            fraction(3600),
            Seconds(STATEMENT.min(request)),
        );
        let migrate = reader.value(&BROKER_MIGRATE, flag);
        let database = Self {
            url: url?,
            pool_size: pool_size?,
            connect_timeout: connect_timeout?.0,
            pool_wait: pool_wait?.0,
            statement_timeout: statement_timeout?.0,
            migrate: migrate?,
        };
        if database.statement_timeout > request {
            let (name, request) = (BROKER_REQUEST_TIMEOUT_SECONDS.name, Seconds(request));
            let detail = format!("must be at most {name}, which is {request}");
            reader.fault(&BROKER_DB_STATEMENT_TIMEOUT_SECONDS, detail);
        }
        Some(database)
    }
}

/// For commands that serve no requests.
impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(reader, Duration::MAX)
    }
}
