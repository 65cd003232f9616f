//! The loop that finishes what clients left unfinished.
//!
//! Overdue Pending uploads are looked at and become Uploaded or Expired; deletes that never ended
//! are ended, idempotency keys past their day are forgotten. Each is one use case on one row, guarded by its own compare-and-set, so that any
//! number of replicas may run the loop and a fault leaves the row for the next round.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::usecases::expire::{self, Looked};
use crate::usecases::{Broker, Result, delete, forget};

/// Rows in a page.
const PAGE: u16 = 100;

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Overdue uploads looked at.
    pub checked: u64,
    /// Whose object was there and right.
    pub uploaded: u64,
    /// Whose object was not.
    pub expired: u64,
    /// Deletes that were ended.
    pub deleted: u64,
    /// Idempotency keys that were let go.
    pub forgotten: u64,
    /// Rows that a fault left for the next round.
    pub failed: u64,
}

/// Runs a round every `period` until `stop`; the row at hand is finished.
pub async fn run(broker: Arc<Broker>, period: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match run_once(&broker, &stop).await {
            Ok(round) if round == Round::default() => {}
            Ok(round) => log::info!("janitor: {round:?}"),
            Err(error) => log::warn!("janitor: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(period) => {}
        }
    }
}

/// One round over everything that is overdue. Memory is bounded by a page.
pub async fn run_once(broker: &Arc<Broker>, stop: &CancellationToken) -> Result<Round> {
    let mut round = Round::default();
    expire_overdue(broker, stop, &mut round).await?;
    finish_deletes(broker, stop, &mut round).await?;
    round.forgotten = forget::forget(broker, PAGE).await?;
    Ok(round)
}

async fn expire_overdue(
    broker: &Arc<Broker>,
    stop: &CancellationToken,
    round: &mut Round,
) -> Result<()> {
    let mut last = None;
    loop {
        let page = expire::overdue(broker, last.as_ref(), PAGE).await?;
        last = page.last().cloned();
        let whole = page.len() == usize::from(PAGE);
        for upload in page {
            if stop.is_cancelled() {
                return Ok(());
            }
            let id = upload.id;
            round.checked += 1;
            broker.metrics.janitor.checked();
            match expire::expire(broker, upload).await {
                Ok(Looked::Uploaded) => {
                    round.uploaded += 1;
                    broker.metrics.janitor.uploaded();
                }
                Ok(Looked::Expired) => {
                    round.expired += 1;
                    broker.metrics.janitor.expired();
                }
                Ok(Looked::Left) => {}
                Err(error) => {
                    round.failed += 1;
                    broker.metrics.janitor.failed();
                    log::warn!("janitor: upload {id} stays Pending: {error}");
                }
            }
        }
        if !whole {
            break;
        }
    }
    Ok(())
}

async fn finish_deletes(
    broker: &Arc<Broker>,
    stop: &CancellationToken,
    round: &mut Round,
) -> Result<()> {
    for upload in delete::unfinished(broker, PAGE).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let id = upload.id;
        match delete::finish(broker, upload).await {
            Ok(()) => round.deleted += 1,
            Err(error) => {
                round.failed += 1;
                log::warn!("janitor: upload {id} stays Deleting: {error}");
            }
        }
    }
    Ok(())
}
