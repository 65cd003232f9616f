//! Opens the connections of a pool, and checks them before they are used again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::runtime::Handle;

use super::limits::PoolLimits;
use super::single::ConnectError;
use crate::store::Connection;
use crate::store::hosts::Hosts;
use crate::store::watchdog::Watchdog;

/// How long a connection is assumed to accept writes without a check.
const WRITE_CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// How much longer than its statement timeout an answer may take.
const GRACE: Duration = Duration::from_secs(2);

/// Opens connections, and checks them before they are used again.
#[derive(Debug)]
pub struct Manager {
    hosts: Arc<Hosts>,
    limits: PoolLimits,
    /// The runtime of the connections, which outlive the thread that first requests one.
    runtime: Handle,
}

/// A connection with its watchdog.
pub struct Session {
    pub(super) connection: Connection,
    pub(super) watchdog: Arc<Watchdog>,
    /// When the server last confirmed that it accepts writes.
    checked_at: Instant,
}

impl Manager {
    /// The connections will live on the runtime that this is called on.
    pub(super) fn new(hosts: Hosts, limits: PoolLimits) -> Self {
        Self {
            hosts: Arc::new(hosts),
            limits,
            runtime: Handle::current(),
        }
    }
}

/// The settings of every session. Postgres itself ends a query or a transaction that hangs.
fn session_settings(limits: &PoolLimits) -> String {
    let statement = limits.statement_timeout.as_millis();
    let lock = (limits.statement_timeout / 3).as_millis();
    format!(
        "SET statement_timeout = '{statement}ms'; \
         SET lock_timeout = '{lock}ms'; \
         SET idle_in_transaction_session_timeout = '{statement}ms'; \
         SET application_name = 'upload-broker'"
    )
}

async fn open(hosts: Arc<Hosts>, limits: PoolLimits) -> Result<Session, ConnectError> {
    let watchdog = Watchdog::new(Some(limits.statement_timeout.saturating_add(GRACE)));
    let mut connection = hosts.connect(limits.connect_timeout, &watchdog).await?;
    connection
        .batch_execute(&session_settings(&limits))
        .await
        .map_err(ConnectError::CouldntSetupConfiguration)?;
    watchdog.query_finished();
    Ok(Session {
        connection,
        watchdog,
        checked_at: Instant::now(),
    })
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = ConnectError;

    async fn create(&self) -> Result<Session, ConnectError> {
        let opened = open(Arc::clone(&self.hosts), self.limits);
        // The threads of the HTTP server end before the operations that they have started.
        let opened = self.runtime.spawn(opened).await;
        opened.unwrap_or_else(|error| Err(ConnectError::BadConnection(error.to_string())))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        if session.connection.is_broken() {
            return Err(RecycleError::message("the connection is broken"));
        }
        let had_error = session.watchdog.take_error();
        if had_error || session.checked_at.elapsed() > WRITE_CHECK_INTERVAL {
            session.check_accepts_writes().await?;
        }
        Ok(())
    }
}

impl Session {
    async fn check_accepts_writes(&mut self) -> RecycleResult<ConnectError> {
        let query = "SELECT current_setting('transaction_read_only')";
        let read_only = sql::<Text>(query)
            .get_result::<String>(&mut self.connection)
            .await
            .map_err(ConnectError::CouldntSetupConfiguration)?;
        if read_only != "off" {
            log::warn!("Postgres no longer accepts writes on a connection; closing it");
            return Err(RecycleError::message("the server is read-only"));
        }
        self.watchdog.query_finished();
        self.checked_at = Instant::now();
        Ok(())
    }
}
