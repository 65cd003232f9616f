//! Connects to one of the hosts of a database URL.
//!
//! The host that was reached last is tried first, so that an unreachable host costs its share of
//! the connect timeout only once. A host that does not accept writes (a standby, or a demoted
//! primary) counts as unreachable, because the broker cannot work with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncConnection as _;

use super::Connection;
use super::tls::Target;
use super::watchdog::Watchdog;
use crate::config::DatabaseUrl;

/// The hosts of a URL.
#[derive(Debug)]
pub(super) struct Hosts {
    /// One target for each host, or why the URL is invalid.
    targets: Result<Vec<Target>, String>,
    /// The index of the host that was reached last.
    last: AtomicUsize,
}

impl Hosts {
    pub(super) fn new(database_url: &str) -> Self {
        Self {
            targets: DatabaseUrl::parse(database_url).map(|url| Target::each(&url)),
            last: AtomicUsize::new(0),
        }
    }

    /// Connects to the first host that accepts writes. Each host gets an equal share of `timeout`.
    pub(super) async fn connect(
        &self,
        timeout: Duration,
        watchdog: &Arc<Watchdog>,
    ) -> ConnectionResult<Connection> {
        let targets = (self.targets.as_ref())
            .map_err(|detail| ConnectionError::InvalidConnectionUrl(detail.clone()))?;
        let count = targets.len();
        let share = timeout / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let start = self.last.load(Ordering::Relaxed);
        let mut error = ConnectionError::InvalidConnectionUrl("it names no host".to_owned());
        for index in (start..count).chain(0..start) {
            let Some(target) = targets.get(index) else {
                break;
            };
            match tokio::time::timeout(share, connect_to(target, watchdog)).await {
                Ok(Ok(connection)) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(cause)) => error = cause,
                Err(_) => {
                    let text = format!("no answer within {share:?}");
                    error = ConnectionError::BadConnection(text);
                }
            }
        }
        Err(error)
    }
}

async fn connect_to(target: &Target, watchdog: &Arc<Watchdog>) -> ConnectionResult<Connection> {
    let client = target.connect(Arc::clone(watchdog)).await?;
    let mut connection = Connection::try_from(client).await?;
    let watchdog = Arc::clone(watchdog);
    connection.set_instrumentation(move |event: diesel::connection::InstrumentationEvent<'_>| {
        watchdog.on_event(&event)
    });
    Ok(connection)
}
