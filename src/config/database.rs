//! Postgres.

use std::time::Duration;

use super::database_url::DatabaseUrl;
use super::parse::{Seconds, flag, fraction, number};
use super::reader::{Reader, Section};
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
