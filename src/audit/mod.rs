//! The loop that writes the audit rows to Postgres.
//!
//! Rows are collected for half a second and written in batches. While Postgres is unavailable they wait
//! in a bounded queue and are tried again; a row is written exactly once, however often it is tried. On
//! a stop, the remaining rows are written after the HTTP server has ended. No row is lost if that takes
//! no longer than the shutdown timeout; after it, the waiting rows are lost, which is logged, and the
//! exit code is 1. A process that is killed loses the rows of the last half second; the history of each
//! upload is complete even then.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::audit::Entry;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::audit::write::write;

/// How long rows are collected before they are written.
const COLLECT_TIME: Duration = Duration::from_millis(500);
/// The largest number of rows in a statement, not counting refusals.
const MAX_ROWS: usize = 1_000;
/// The longest back-off. It is short, so that rows are written soon after Postgres has recovered.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Rows that were taken from the queue and are not written yet.
struct Batch {
    broker: Arc<Broker>,
    rows: Vec<Entry>,
    /// Whether a write of these rows was attempted before. If so, some of them may already exist.
    was_attempted: bool,
}

/// Writes rows until `complete`, which is cancelled when no further row can be added, and then the
/// remaining rows. Returns only after `stop`.
pub async fn run(broker: Arc<Broker>, complete: CancellationToken, stop: CancellationToken) {
    let mut batch = Batch {
        broker,
        rows: Vec::new(),
        was_attempted: false,
    };
    let mut failures = 0;
    loop {
        // Read before the write, so that every row added until then is part of the write.
        let is_complete = complete.is_cancelled();
        match batch.write().await {
            Ok(_) if is_complete && batch.remaining() == 0 => break,
            Ok(rows) if rows < MAX_ROWS && !is_complete => {
                failures = 0;
                tokio::select! {
                    () = complete.cancelled() => {}
                    () = batch.wait_for_rows() => {}
                }
            }
            Ok(_) => failures = 0,
            Err(error) => {
                failures += 1;
                let longest = if is_complete {
                    COLLECT_TIME
                } else {
                    MAX_BACKOFF
                };
                let wait = Backoff::up_to(longest).delay(failures);
                log::warn!("audit: cannot write rows (failure {failures} in a row): {error}");
                tokio::select! {
                    () = complete.cancelled(), if !is_complete => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
    stop.cancelled().await;
}

impl Batch {
    /// Writes the rows of the last attempt if it failed, otherwise the next rows. Returns the number of
    /// rows.
    async fn write(&mut self) -> crate::usecases::Result<usize> {
        if self.rows.is_empty() {
            self.rows = self.broker.audit.take(MAX_ROWS);
        }
        self.update_gauge();
        let rows = self.rows.len();
        if rows > 0 {
            let is_retry = mem::replace(&mut self.was_attempted, true);
            write(&self.broker, &self.rows, is_retry).await?;
            self.rows.clear();
            self.was_attempted = false;
            self.update_gauge();
        }
        Ok(rows)
    }

    /// Waits until there is a row, and then for the time during which further rows are collected.
    async fn wait_for_rows(&self) {
        self.broker.audit.wait_for_records().await;
        tokio::time::sleep(COLLECT_TIME).await;
    }

    fn remaining(&self) -> usize {
        self.rows.len() + self.broker.audit.waiting()
    }

    fn update_gauge(&self) {
        self.broker.metrics.audit.waiting(self.remaining());
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let rows = self.remaining();
        if rows > 0 {
            log::error!(
                "audit: {rows} rows are lost: the process stopped before they were written"
            );
        }
    }
}
