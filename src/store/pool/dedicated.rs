//! Checks that every connection has a Postgres session of its own.
//!
//! A pooler in transaction mode (PgBouncer's `pool_mode = transaction`) lends one session of
//! Postgres to one connection after the other. The state of a session is then lost or belongs to
//! another connection: prepared statements, timeouts that are set once, the advisory lock of the
//! migrations. Such a pooler answers single statements well and fails under load, so the broker
//! checks this when it starts.

use diesel::result::Error as DieselError;
use diesel_async::SimpleAsyncConnection as _;
use uuid::Uuid;

use super::connections::{Pool, PoolError};
use super::single::{ConnectError, connect};
use crate::store::{Connection, sqlstate};

/// How often the check is repeated. A pooler usually hands out the session that became free last,
/// but another client may get it first.
const ATTEMPTS: usize = 10;
/// The SQLSTATE by which the statement of the check reports that it has found the marker. It is in
/// a class that Postgres does not use.
const FOUND: &str = "UB001";
/// A prepared statement does not exist: it belongs to the session of another connection.
/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const INVALID_STATEMENT_NAME: &str = "26000";
/// A prepared statement exists already: it belongs to the session of another connection.
const DUPLICATE_STATEMENT: &str = "42P05";

/// Why it is not certain that connections have sessions of their own.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Connections share sessions.
    #[error(
        "a pooler shares one Postgres session among several connections (PgBouncer in transaction \
         or statement mode): the broker needs session mode, or a DATABASE_URL that bypasses the \
         pooler"
    )]
    Shared,
    /// No connection could be opened.
    #[error("Postgres cannot be reached")]
    Connect(#[source] ConnectError),
    /// The pool returned no connection.
    #[error("no connection is available")]
    Pool(#[from] PoolError),
    /// The query of the check failed.
    #[error("Postgres does not answer")]
    Query(#[source] DieselError),
}

impl From<ConnectError> for SessionError {
    fn from(error: ConnectError) -> Self {
        match error {
            // Every session is configured by prepared statements.
            ConnectError::CouldntSetupConfiguration(cause) if indicates_sharing(&cause) => {
                Self::Shared
            }
            error => Self::Connect(error),
        }
    }
}

impl From<DieselError> for SessionError {
    fn from(error: DieselError) -> Self {
        match indicates_sharing(&error) {
            true => Self::Shared,
            false => Self::Query(error),
        }
    }
}

fn indicates_sharing(error: &DieselError) -> bool {
    let codes = [FOUND, INVALID_STATEMENT_NAME, DUPLICATE_STATEMENT];
    sqlstate(error).is_some_and(|code| codes.contains(&code))
}

/// Checks that connections to this database have sessions of their own.
///
/// # Errors
/// They share sessions ([`SessionError::Shared`]), or Postgres does not answer.
pub async fn ensure_dedicated_sessions(database_url: &str) -> Result<(), SessionError> {
    let mut one = connect(database_url).await?;
    let mut other = connect(database_url).await?;
    ensure_distinct_sessions(&mut one, &mut other).await
}

impl Pool {
    /// Checks that the connections of the pool have sessions of their own. After the first success
    /// the check is not repeated.
    ///
    /// # Errors
    /// As for [`ensure_dedicated_sessions`].
    pub async fn ensure_dedicated_sessions(&self) -> Result<(), SessionError> {
        use ::deadpool::managed::Manager as _;
        if self.has_dedicated_sessions.get().is_some() {
            return Ok(());
        }
        let mut one = self.get().await?;
        // Opened outside the pool, which may have only one connection.
        let mut other = self.connections.manager().create().await?;
        ensure_distinct_sessions(&mut one, &mut other.connection).await?;
        let _ = self.has_dedicated_sessions.set(());
        Ok(())
    }
}

/// Sets a marker in the session of one connection, and looks for it in the session of the other.
/// Both use simple queries, which every pooler forwards.
async fn ensure_distinct_sessions(
    one: &mut Connection,
    other: &mut Connection,
) -> Result<(), SessionError> {
    let marker = Uuid::new_v4().simple().to_string();
    for _ in 0..ATTEMPTS {
        let set = format!("SET upload_broker.session = '{marker}'");
        one.batch_execute(&set).await?;
        let find = format!(
            "DO $$ BEGIN \
             IF current_setting('upload_broker.session', true) = '{marker}' \
             THEN RAISE EXCEPTION 'found' USING ERRCODE = '{FOUND}'; END IF; END $$"
        );
        other.batch_execute(&find).await?;
    }
    one.batch_execute("RESET upload_broker.session").await?;
    Ok(())
}
