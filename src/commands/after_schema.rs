//! Starts loops once the database has the schema of this binary.
//!
//! With `BROKER_MIGRATE=false` another process migrates the database, and may do so later. Until then
//! the process lives, is not ready, and its loops wait: without the tables, each of their rounds would
//! fail.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::lifecycle::Shutdown;
use crate::usecases::maintenance::schema::count_missing_migrations;
use crate::usecases::{Broker, Error};

/// The time from one comparison of the schema to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// Starts loops once the schema is there.
pub(super) struct AfterSchema<'a> {
    shutdown: &'a Shutdown,
    is_there: CancellationToken,
}

impl<'a> AfterSchema<'a> {
    /// If this process has migrated the database itself, loops start at once.
    pub(super) fn new(broker: &Arc<Broker>, has_migrated: bool, shutdown: &'a Shutdown) -> Self {
        let is_there = CancellationToken::new();
        if has_migrated {
            is_there.cancel();
        } else {
            let wait = wait(Arc::clone(broker), is_there.clone(), shutdown.token());
            shutdown.spawn_job("schema", wait);
        }
        Self { shutdown, is_there }
    }

    /// Spawns a loop as [`Shutdown::spawn`] does.
    pub(super) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (is_there, stop) = (self.is_there.clone(), self.shutdown.token());
        self.shutdown.spawn(name, async move {
            if stop
                .run_until_cancelled(is_there.cancelled())
                .await
                .is_some()
            {
                work.await;
            }
        });
    }
}

/// Waits until no migration is missing, and then cancels `is_there`. Postgres may be unavailable
/// meanwhile.
async fn wait(broker: Arc<Broker>, is_there: CancellationToken, stop: CancellationToken) {
    let mut has_warned = false;
    while !stop.is_cancelled() {
        match count_missing_migrations(&broker).await {
            Ok(0) => {
                if has_warned {
                    log::info!("the schema is complete: starting the background work");
                }
                return is_there.cancel();
            }
            Ok(count) if !has_warned => {
                has_warned = true;
                log::warn!(
                    "the schema of the database lacks {count} migrations: waiting for \
                     `upload-broker migrate` (BROKER_MIGRATE=false)"
                );
            }
            Ok(_) | Err(Error::Unavailable { .. }) => {}
            // The role may have no right to read the table of the migrations.
            Err(error) => {
                log::warn!("the migrations of the database cannot be read: {error}");
                return is_there.cancel();
            }
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await;
    }
}
