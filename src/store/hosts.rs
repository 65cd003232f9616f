//! From a URL to a connection: which of its hosts, and how long to try.
//!
//! The host that was reached last is tried first, so that a dead one costs its share of the time
//! once. A host that is reached but takes no writes (a standby, a primary that was demoted) counts
//! as dead: the broker has nothing to do on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncConnection as _;

use super::Connection;
use super::tls::Target;
use super::watchdog::Watchdog;
use crate::config::DatabaseUrl;

/// How long the kernel lets a peer be silent: sent bytes that nobody confirms, or nobody there
/// when it asks. Without it a peer that vanished is noticed after two hours.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// The hosts of a URL.
#[derive(Debug)]
pub(super) struct Hosts {
    /// One a host, or what is wrong with the URL.
    targets: Result<Vec<Target>, String>,
    /// The one that was reached last.
    last: AtomicUsize,
}

impl Hosts {
    pub(super) fn new(database_url: &str) -> Self {
        Self {
            targets: DatabaseUrl::parse(database_url).map(|url| Target::each(&url)),
            last: AtomicUsize::new(0),
        }
    }

    /// A connection to the first host that takes writes. Each host has an equal share of `time`.
    pub(super) async fn connect(
        &self,
        time: Duration,
        watch: &Arc<Watchdog>,
    ) -> ConnectionResult<Connection> {
        let targets = (self.targets.as_ref())
            .map_err(|detail| ConnectionError::InvalidConnectionUrl(detail.clone()))?;
        let count = targets.len();
        let share = time / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let start = self.last.load(Ordering::Relaxed);
        let mut failed = ConnectionError::InvalidConnectionUrl("it names no host".to_owned());
        for index in (start..count).chain(0..start) {
            let Some(target) = targets.get(index) else {
                break;
            };
            match tokio::time::timeout(share, one(target, watch)).await {
                Ok(Ok(connection)) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(cause)) => failed = cause,
                Err(_) => {
                    let words = format!("no answer within {share:?}");
                    failed = ConnectionError::BadConnection(words);
                }
            }
        }
        Err(failed)
    }
}

async fn one(target: &Target, watch: &Arc<Watchdog>) -> ConnectionResult<Connection> {
    let client = target.connect(Arc::clone(watch)).await?;
    let mut connection = Connection::try_from(client).await?;
    let watch = Arc::clone(watch);
    connection.set_instrumentation(move |event: diesel::connection::InstrumentationEvent<'_>| {
        watch.notice(&event)
    });
    Ok(connection)
}
