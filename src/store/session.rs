//! One connection of the pool: how it is made, and what is asked of it before it is used again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::runtime::Handle;

use super::Connection;
use super::hosts::Hosts;
use super::pool::{ConnectError, PoolLimits};
use super::watchdog::Watchdog;

/// How long a connection is believed to take writes without being asked.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// What an answer may take beyond the time limit of its statement.
const GRACE: Duration = Duration::from_secs(2);

/// Makes connections, and looks at them before they are used again.
#[derive(Debug)]
pub struct Manager {
    hosts: Arc<Hosts>,
    limits: PoolLimits,
    /// Where connections live: they outlast the thread that asks for one first.
    runtime: Handle,
}

/// A connection that is watched.
pub struct Session {
    pub(super) connection: Connection,
    pub(super) watch: Arc<Watchdog>,
    asked: Instant,
}

impl Manager {
    /// Connections live on the runtime that this is called on.
    pub(super) fn new(hosts: Hosts, limits: PoolLimits) -> Self {
        Self {
            hosts: Arc::new(hosts),
            limits,
            runtime: Handle::current(),
        }
    }
}

/// What every session is told: a query or a transaction that hangs ends by itself.
fn manners(limits: &PoolLimits) -> String {
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
    let watch = Watchdog::new(Some(limits.statement_timeout.saturating_add(GRACE)));
    let mut connection = hosts.connect(limits.connect_timeout, &watch).await?;
    connection
        .batch_execute(&manners(&limits))
        .await
        .map_err(ConnectError::CouldntSetupConfiguration)?;
    watch.idle();
    Ok(Session {
        connection,
        watch,
        asked: Instant::now(),
    })
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = ConnectError;

    async fn create(&self) -> Result<Session, ConnectError> {
        let made = open(Arc::clone(&self.hosts), self.limits);
        // An HTTP server's threads end before the verbs that they have begun.
        let made = self.runtime.spawn(made).await;
        made.unwrap_or_else(|died| Err(ConnectError::BadConnection(died.to_string())))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        if session.connection.is_broken() {
            return Err(RecycleError::message("it is broken"));
        }
        let doubted = session.watch.is_doubted();
        if doubted || session.asked.elapsed() > ASK_EVERY {
            session.takes_writes().await?;
        }
        Ok(())
    }
}

impl Session {
    async fn takes_writes(&mut self) -> RecycleResult<ConnectError> {
        let question = "SELECT current_setting('transaction_read_only')";
        let answer = sql::<Text>(question)
            .get_result::<String>(&mut self.connection)
            .await
            .map_err(ConnectError::CouldntSetupConfiguration)?;
        if answer != "off" {
            log::warn!("Postgres no longer takes writes on a connection: it is given up");
            return Err(RecycleError::message("its server is read-only"));
        }
        self.watch.idle();
        self.asked = Instant::now();
        Ok(())
    }
}
