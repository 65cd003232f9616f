//! Whether a connection has a session of its own.
//!
//! A pooler in transaction mode (PgBouncer's `pool_mode = transaction`) lends one session of
//! Postgres to one connection after the other. What a session keeps is then lost or another's:
//! prepared statements, the time limits that are set once, the lock of the migrations. Such a
//! pooler answers single statements well, and fails under load; so the broker asks at its start.

use diesel::result::Error as DieselError;
use diesel_async::SimpleAsyncConnection as _;
use uuid::Uuid;

use super::{ConnectError, Pool, PoolError, connect};
use crate::store::{Connection, sqlstate};

/// How often a session is searched for behind another connection. A pooler hands out the session
/// that came free last, as a rule; others may get it first.
const ATTEMPTS: usize = 10;
/// The SQLSTATE by which the statement below reports that it has found the mark. Of a class that
/// Postgres does not use.
const FOUND: &str = "UB001";
/// A prepared statement is not there, or is there already: it belongs to another connection's
/// session. Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const INVALID_STATEMENT_NAME: &str = "26000";
const DUPLICATE_STATEMENT: &str = "42P05";

/// Why it is not known that connections have sessions of their own.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// They do not.
    #[error(
        "a pooler lends one session of Postgres to several connections (PgBouncer in transaction \
         or statement mode): the broker needs session mode, or a DATABASE_URL that goes past it"
    )]
    Shared,
    /// No connection could be had.
    #[error("Postgres cannot be reached")]
    Connect(#[source] ConnectError),
    /// None came out of the pool.
    #[error("no connection could be had")]
    Pool(#[from] PoolError),
    /// Postgres did not answer the question.
    #[error("Postgres does not answer")]
    Query(#[source] DieselError),
}

impl From<ConnectError> for SessionError {
    fn from(error: ConnectError) -> Self {
        match error {
            // Every session is set up by statements that are prepared.
            ConnectError::CouldntSetupConfiguration(cause) if shows_lending(&cause) => Self::Shared,
            error => Self::Connect(error),
        }
    }
}

impl From<DieselError> for SessionError {
    fn from(error: DieselError) -> Self {
        match shows_lending(&error) {
            true => Self::Shared,
            false => Self::Query(error),
        }
    }
}

fn shows_lending(error: &DieselError) -> bool {
    let shown_by = [FOUND, INVALID_STATEMENT_NAME, DUPLICATE_STATEMENT];
    sqlstate(error).is_some_and(|code| shown_by.contains(&code))
}

/// Makes sure that connections to this database have sessions of their own.
///
/// # Errors
/// They have not ([`SessionError::Shared`]), or nothing is known because Postgres does not answer.
pub async fn ensure_dedicated_sessions(database_url: &str) -> Result<(), SessionError> {
    let mut one = connect(database_url).await?;
    let mut other = connect(database_url).await?;
    ensure_apart(&mut one, &mut other).await
}

impl Pool {
    /// The same for the connections of the pool. Once that is known, nothing is asked any more.
    ///
    /// # Errors
    /// As [`ensure_dedicated_sessions`].
    pub async fn ensure_dedicated_sessions(&self) -> Result<(), SessionError> {
        use ::deadpool::managed::Manager as _;
        if self.own_sessions.get().is_some() {
            return Ok(());
        }
        let mut one = self.get().await?;
        // Beside the pool, which may be of one connection.
        let mut other = self.connections.manager().create().await?;
        ensure_apart(&mut one, &mut other.connection).await?;
        let _ = self.own_sessions.set(());
        Ok(())
    }
}

/// Leaves a mark in the session of one connection, and searches that of the other for it. By simple
/// queries, which pass every pooler.
async fn ensure_apart(one: &mut Connection, other: &mut Connection) -> Result<(), SessionError> {
    let mark = Uuid::new_v4().simple().to_string();
    for _ in 0..ATTEMPTS {
        let leave = format!("SET upload_broker.session = '{mark}'");
        one.batch_execute(&leave).await?;
        let search = format!(
            "DO $$ BEGIN \
             IF current_setting('upload_broker.session', true) = '{mark}' \
             THEN RAISE EXCEPTION 'found' USING ERRCODE = '{FOUND}'; END IF; END $$"
        );
        other.batch_execute(&search).await?;
    }
    one.batch_execute("RESET upload_broker.session").await?;
    Ok(())
}
