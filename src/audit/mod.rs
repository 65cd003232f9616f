//! The loop that writes the audit.
//!
//! Rows gather for half a second and are written together. While Postgres is away they wait, as
//! many as there is room for, and are tried again; a row is written once, however often that is.
//! A stop writes what is left once the HTTP server has ended. Within the bound of the stop nothing
//! is lost; past it the rows that wait are, which the log says, and the exit code is 1. A process
//! that is killed loses the last half second of rows: what became of uploads their histories tell.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::audit::Entry;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::audit::write::write;

/// How long rows gather.
const GATHER: Duration = Duration::from_millis(500);
/// Rows in a statement, refusals aside.
const ROWS: usize = 1_000;
/// The longest back-off: it is not left waiting once Postgres is back.
const LONGEST: Duration = Duration::from_secs(5);

/// Rows that are taken and not yet written.
struct Unwritten {
    broker: Arc<Broker>,
    rows: Vec<Entry>,
    /// Whether they have been on their way before: then some may be there already.
    tried: bool,
}

/// Writes rows until `over`, when nothing is noted any more, and then those that are left. Comes
/// back after `stop` only.
pub async fn run(broker: Arc<Broker>, over: CancellationToken, stop: CancellationToken) {
    let mut unwritten = Unwritten {
        broker,
        rows: Vec::new(),
        tried: false,
    };
    let mut failures = 0;
    loop {
        // Asked before: what was noted until then is among the rows.
        let is_over = over.is_cancelled();
        match unwritten.write().await {
            Ok(_) if is_over && unwritten.left() == 0 => break,
            Ok(rows) if rows < ROWS && !is_over => {
                failures = 0;
                tokio::select! {
                    () = over.cancelled() => {}
                    () = unwritten.more() => {}
                }
            }
            Ok(_) => failures = 0,
            Err(error) => {
                failures += 1;
                let wait = Backoff::up_to(if is_over { GATHER } else { LONGEST }).delay(failures);
                log::warn!("audit: rows wait (failure {failures} in a row): {error}");
                tokio::select! {
                    () = over.cancelled(), if !is_over => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
    stop.cancelled().await;
}

impl Unwritten {
    /// Writes what failed the last time, else the next rows, and says how many they were.
    async fn write(&mut self) -> crate::usecases::Result<usize> {
        if self.rows.is_empty() {
            self.rows = self.broker.audit.take(ROWS);
        }
        self.tell();
        let rows = self.rows.len();
        if rows > 0 {
            let again = mem::replace(&mut self.tried, true);
            write(&self.broker, &self.rows, again).await?;
            self.rows.clear();
            self.tried = false;
            self.tell();
        }
        Ok(rows)
    }

    /// Something came, and had time to gather.
    async fn more(&self) {
        self.broker.audit.came().await;
        tokio::time::sleep(GATHER).await;
    }

    fn left(&self) -> usize {
        self.rows.len() + self.broker.audit.waiting()
    }

    fn tell(&self) {
        self.broker.metrics.audit.waiting(self.left());
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        let rows = self.left();
        if rows > 0 {
            log::error!("audit: {rows} rows are lost: the process stops before they are written");
        }
    }
}
