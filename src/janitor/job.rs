//! One round of the janitor, and the loop that runs rounds.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::task::Task;
use crate::domain::finding::{Finding, FindingKind};
use crate::usecases::documents;
use crate::usecases::jobs;
use crate::usecases::maintenance::clean_up;
use crate::usecases::maintenance::final_check;
use crate::usecases::maintenance::fold_quotas;
use crate::usecases::maintenance::retention::{self, Retained};
use crate::usecases::maintenance::row_lease::RowTask;
use crate::usecases::{Broker, Result};

/// The number of rows in a page of work that sends requests to S3.
pub(super) const PAGE: u16 = 100;
/// The number of rows in a statement of work that needs only Postgres.
const ROWS: u16 = 1_000;

/// The counts of one round; in a dry run, the counts that a round would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Uploads that no client acknowledges, and whose object has arrived.
    pub arrived: u64,
    /// Overdue uploads that were checked.
    pub checked: u64,
    /// Overdue uploads whose object was present and correct.
    pub uploaded: u64,
    /// Overdue uploads whose object was absent or incorrect.
    pub expired: u64,
    /// Interrupted deletes that were finished.
    pub deleted: u64,
    /// Deleted and cancelled uploads that had their final check.
    pub finally_checked: u64,
    /// Objects that arrived after their upload had ended, and were removed.
    pub removed: u64,
    /// Idempotency keys that were removed.
    pub old_idempotency_keys: u64,
    /// Counters of ended upload tokens that were removed.
    pub ended_tokens: u64,
    /// Events that were removed because their retention time was over.
    pub old_events: u64,
    /// Uploads that were removed because their retention time was over.
    pub old_uploads: u64,
    /// Audit rows that were removed because their retention time was over.
    pub old_audit_rows: u64,
    /// Rows whose work failed; they are retried later.
    pub failed: u64,
}

/// The tasks of one round, and what they need.
pub struct Job {
    /// The use cases and their connections.
    pub broker: Arc<Broker>,
    /// The tasks to run.
    pub tasks: Vec<Task>,
    /// Whether to change nothing, and only report what a round would do.
    pub dry_run: bool,
    /// Receives every finding.
    pub report: Report,
    /// Ends the round early. Work that has started on a row is finished.
    pub stop: CancellationToken,
}

/// Runs a round every `period` until `stop`. Work that has started on a row is finished.
pub async fn run(broker: Arc<Broker>, period: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let round = run_once(&broker, &stop).await;
        let ended = if round.is_ok() { "finished" } else { "failed" };
        broker.metrics.janitor.round(ended);
        match round {
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

/// Runs one round of every task except those that list a bucket. Memory is bounded by one page.
///
/// # Errors
/// A task failed as a whole, for example because Postgres is unavailable.
pub async fn run_once(broker: &Arc<Broker>, stop: &CancellationToken) -> Result<Round> {
    let job = Job {
        broker: Arc::clone(broker),
        tasks: Task::ALL.to_vec(),
        dry_run: false,
        report: Report::discard(),
        stop: stop.clone(),
    };
    job.round().await
}

impl Job {
    /// Runs one round over all rows that are due.
    ///
    /// # Errors
    /// A task failed as a whole. The remaining tasks are not run.
    pub async fn round(&self) -> Result<Round> {
        let mut round = Round::default();
        for row_task in [
            RowTask::CheckArrival,
            RowTask::Expire,
            RowTask::FinishDelete,
            RowTask::FinalCheck,
        ] {
            if !self.tasks.contains(&row_task.into()) {
                continue;
            }
            if self.dry_run {
                self.dry_run_row_task(row_task, &mut round).await?;
                continue;
            }
            if row_task == RowTask::FinalCheck {
                self.mark_without_final_check().await?;
            }
            self.run_row_task(row_task, &mut round).await?;
        }
        if self.tasks.contains(&Task::Keys) {
            round.old_idempotency_keys = self.remove_old(FindingKind::OldIdempotencyKeys).await?;
            round.ended_tokens = self.remove_old(FindingKind::EndedTokens).await?;
        }
        if !self.dry_run {
            self.remove_documents(&mut round).await;
        }
        if self.tasks.contains(&Task::Retention) {
            round.old_events = self.remove_old(FindingKind::OldEvents).await?;
            round.old_uploads = self.remove_old(FindingKind::OldUploads).await?;
            round.old_audit_rows = self.remove_old(FindingKind::OldAuditRows).await?;
        }
        if !self.dry_run {
            self.requeue_lapsed_jobs().await?;
            fold_quotas::fold(&self.broker).await?;
        }
        Ok(round)
    }

    /// Checks all arrivals that are due.
    pub(super) async fn check_arrivals(&self) -> Result<()> {
        let mut round = Round::default();
        self.run_row_task(RowTask::CheckArrival, &mut round).await
    }

    /// Queues jobs again whose worker did not report before its lease ended.
    async fn requeue_lapsed_jobs(&self) -> Result<()> {
        while !self.stop.is_cancelled() {
            if jobs::requeue_lapsed(&self.broker).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Removes the text of uploads that were replaced or deleted, and of attempts without success,
    /// before retention removes the rows of these uploads, with which all of their text would go at
    /// once. Nothing reads the text any more, so that a failure does not hold up the other tasks.
    async fn remove_documents(&self, round: &mut Round) {
        while !self.stop.is_cancelled() {
            match documents::remove::remove_unused(&self.broker).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    log::warn!("janitor: old text could not be removed: {error}");
                    round.failed += 1;
                    break;
                }
            }
        }
    }

    /// Marks the ended uploads that need no final check.
    async fn mark_without_final_check(&self) -> Result<()> {
        while !self.stop.is_cancelled() {
            if final_check::mark_closed(&self.broker, ROWS).await? < usize::from(ROWS) {
                break;
            }
        }
        Ok(())
    }

    /// Removes old rows of one kind, a bounded number in each transaction, and returns how many were
    /// removed. In a dry run it only counts them.
    async fn remove_old(&self, what: FindingKind) -> Result<u64> {
        let mut total = 0;
        if self.dry_run {
            total = self.count_old(what).await?;
        }
        while !self.dry_run && !self.stop.is_cancelled() {
            let removed = match what {
                FindingKind::OldEvents => {
                    retention::remove(&self.broker, Retained::Events, ROWS).await?
                }
                FindingKind::OldUploads => {
                    retention::remove(&self.broker, Retained::Uploads, ROWS).await?
                }
                FindingKind::OldAuditRows => {
                    retention::remove(&self.broker, Retained::Audit, ROWS).await?
                }
                FindingKind::EndedTokens => clean_up::delete_token_uses(&self.broker, ROWS).await?,
                _ => clean_up::delete_idempotency_keys(&self.broker, ROWS).await?,
            };
            self.broker.metrics.janitor.removed(what.as_str(), removed);
            total += removed;
            if removed < u64::from(ROWS) {
                break;
            }
        }
        if total > 0 {
            self.report
                .send(&Finding::for_rows(what, total, self.dry_run));
        }
        Ok(total)
    }

    async fn count_old(&self, what: FindingKind) -> Result<u64> {
        match what {
            FindingKind::OldEvents => retention::count(&self.broker, Retained::Events).await,
            FindingKind::OldUploads => retention::count(&self.broker, Retained::Uploads).await,
            FindingKind::OldAuditRows => retention::count(&self.broker, Retained::Audit).await,
            FindingKind::EndedTokens => clean_up::count_token_uses(&self.broker).await,
            _ => clean_up::count_idempotency_keys(&self.broker).await,
        }
    }
}
