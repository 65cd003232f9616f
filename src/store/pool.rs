//! Connections to Postgres.
//!
//! A connection that died is noticed when it is taken from the pool and replaced, so Postgres may
//! restart under us. A caller waits a bounded time for a connection; past that the pool is
//! exhausted and the caller is told so at once.

use std::time::Duration;

use diesel::ConnectionResult;
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::{self, BuildError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::Connection;
use super::tls::Target;

/// Connections, shared by every request.
pub type Pool = deadpool::Pool<Connection>;
/// A connection out of the pool; it goes back when dropped.
pub type Pooled = deadpool::Object<Connection>;
/// No connection could be had in time.
pub type PoolError = deadpool::PoolError;
/// Postgres cannot be reached, or refuses us.
pub type ConnectError = diesel::ConnectionError;

/// What every session is told: a query or a transaction that hangs ends by itself.
const SESSION: &str = "SET statement_timeout = '15s'; \
                       SET lock_timeout = '5s'; \
                       SET idle_in_transaction_session_timeout = '15s'; \
                       SET application_name = 'upload-broker'";

/// A pool of at most `size` connections. Connects when first asked; `timeout` bounds both the
/// wait for a free connection and the making of a new one.
pub fn build(database_url: &str, size: usize, timeout: Duration) -> Result<Pool, BuildError> {
    let mut config = ManagerConfig::default();
    // Whether a connection is dead is known without a round trip.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(establish);
    let manager = AsyncDieselConnectionManager::new_with_config(database_url, config);
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(timeout))
        .create_timeout(Some(timeout))
        .recycle_timeout(Some(timeout))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()
}

/// One connection outside any pool, without the session's time limits: for migrations.
pub async fn connect(database_url: &str) -> ConnectionResult<Connection> {
    Target::parse(database_url)?.connect().await
}

fn establish(database_url: &str) -> BoxFuture<'_, ConnectionResult<Connection>> {
    async move {
        let mut connection = connect(database_url).await?;
        connection
            .batch_execute(SESSION)
            .await
            .map_err(ConnectError::CouldntSetupConfiguration)?;
        Ok(connection)
    }
    .boxed()
}
