//! The loop that asks Postgres for due jobs.
//!
//! It claims as many jobs as it has free slots, from one processor after the other, starting with
//! another one each time, so that a processor with many jobs does not hold up the others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Worker;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::jobs::claim::{self, ClaimedJob};
use crate::usecases::{Result, jobs};

impl Worker {
    /// Claims and runs jobs until `stop`, and returns when the last of them has ended.
    pub(super) async fn poll_until(
        self: &Arc<Self>,
        stop: &CancellationToken,
        give_back: &CancellationToken,
    ) {
        let mut running = JoinSet::new();
        let mut failures = 0;
        let mut turn = 0;
        while !stop.is_cancelled() {
            let queued = self.broker.jobs_queued.notified();
            turn += 1;
            let wait = match self.claim_and_start(turn, &mut running, give_back).await {
                // There may be more.
                Ok(started) if started > 0 => continue,
                Ok(_) => {
                    failures = 0;
                    self.poll_interval
                }
                Err(error) => {
                    failures += 1;
                    let wait = Backoff::default().delay(failures);
                    log::warn!("worker: no jobs can be claimed (next try in {wait:.1?}): {error}");
                    wait
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = queued, if failures == 0 => {}
                // A slot is free again.
                Some(_) = running.join_next(), if !running.is_empty() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Claims jobs for the free slots and starts them. Returns how many were started.
    async fn claim_and_start(
        self: &Arc<Self>,
        turn: usize,
        running: &mut JoinSet<()>,
        give_back: &CancellationToken,
    ) -> Result<usize> {
        jobs::requeue_lapsed(&self.broker).await?;
        let count = self.processors.len().max(1);
        let rotated = (0..self.processors.len()).map(|index| (index + turn) % count);
        let mut started = 0;
        for processor in rotated.filter_map(|index| self.processors.get(index)) {
            let mut slots = self.free_slots();
            let limit = u16::try_from(slots.len()).unwrap_or(u16::MAX);
            if limit == 0 {
                break;
            }
            let claimed =
                claim::claim_of_all_tenants(&self.broker, processor.name, limit, self.lease)
                    .await?;
            for ClaimedJob { job, upload } in claimed {
                let (worker, slot) = (Arc::clone(self), slots.pop());
                let give_back = give_back.clone();
                started += 1;
                running.spawn(async move {
                    worker.run_job(job, upload, &give_back).await;
                    drop(slot);
                });
            }
        }
        Ok(started)
    }

    /// Takes all free slots. Those that are dropped are free again.
    fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let mut slots = Vec::new();
        loop {
            match Arc::clone(&self.slots).try_acquire_owned() {
                Ok(slot) => slots.push(slot),
                Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return slots,
            }
        }
    }
}
