//! The connection to Postgres.

use std::time::Duration;

use super::database_login;
use super::database_url::DatabaseUrl;
use super::parse::{Seconds, flag, fractional_seconds, number};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_DB_CONNECT_TIMEOUT_SECONDS, BROKER_DB_POOL_SIZE, BROKER_DB_POOL_WAIT_SECONDS,
    BROKER_DB_STATEMENT_TIMEOUT_SECONDS, BROKER_MIGRATE, BROKER_REQUEST_TIMEOUT_SECONDS,
};

/// The default statement timeout.
const STATEMENT: Duration = Duration::from_secs(15);

/// The settings of the connection to Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// The URL, with the password.
    pub url: DatabaseUrl,
    /// The most connections.
    pub pool_size: usize,
    /// The timeout for opening a connection.
    pub connect_timeout: Duration,
    /// How long to wait for a free connection.
    pub pool_wait: Duration,
    /// The timeout of a statement.
    pub statement_timeout: Duration,
    /// Whether `serve` migrates the database when it starts.
    pub migrate: bool,
}

impl Database {
    /// Reads the settings. `request` is the longest allowed statement timeout.
    pub(super) fn read(reader: &mut Reader<'_>, request: Duration) -> Option<Self> {
        let url = database_login::read(reader);
        let pool_size = reader.value(&BROKER_DB_POOL_SIZE, number(1..=1000));
        let connect_timeout =
            reader.value(&BROKER_DB_CONNECT_TIMEOUT_SECONDS, fractional_seconds(300));
        let pool_wait = reader.value(&BROKER_DB_POOL_WAIT_SECONDS, fractional_seconds(300));
        let statement_timeout = reader.derived(
            &BROKER_DB_STATEMENT_TIMEOUT_SECONDS,
            fractional_seconds(3600),
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

/// For commands that serve no requests, so that the statement timeout is not limited by one.
impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(reader, Duration::MAX)
    }
}
