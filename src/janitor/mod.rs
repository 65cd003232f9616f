//! The loops that finish what was left unfinished, and compare what is there.
//!
//! A round ([`Job::round`]) looks at overdue Pending uploads, ends deletes that never ended, looks
//! at deleted and cancelled uploads once more after the end of their URL, and lets go of what was
//! kept for its time. The sweep ([`Sweeps`]) compares every bucket with the rows. A loop of its own
//! ([`StaleWalks`]) aborts the multipart uploads that nothing needs any more.
//!
//! Any number of replicas may run all of them: rows and buckets are claimed with a lease before S3 is
//! asked, and the lease is renewed while they are worked on. Each row is one use case guarded by its
//! own compare-and-set, and fenced by the lease. A fault leaves the row for later, behind the others;
//! a process that dies leaves it until its lease ends.

mod chores;
mod part;
mod rehearse;
mod report;
mod stale;
mod stale_walks;
mod stores;
mod sweeps;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::finding::{Finding, FindingKind};
use crate::usecases::maintenance::claim::Chore;
use crate::usecases::maintenance::forget;
use crate::usecases::maintenance::retain::{self, Old};
use crate::usecases::maintenance::settle;
use crate::usecases::maintenance::tidy_quotas;
use crate::usecases::{Broker, Result};

pub use part::Part;
pub use report::Report;
pub use stale::{Aborted, Cleared, abort_stale};
pub use stale_walks::StaleWalks;
pub use stores::learn_stores;
pub use sweeps::{Sweeps, Swept, sweep};

/// Rows in a page of work that asks S3, and of work that does not.
const PAGE: u16 = 100;
const ROWS: u16 = 1_000;

/// What one round did; in a dry run, what it would do.
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
    /// Deleted and cancelled uploads that were looked at for the last time.
    pub settled: u64,
    /// Whose object had come, and was removed.
    pub removed: u64,
    /// Idempotency keys that were let go.
    pub forgotten: u64,
    /// Counts of upload tokens that were let go.
    pub ended_tokens: u64,
    /// Events past their time that were removed.
    pub old_events: u64,
    /// Uploads past their time that were removed.
    pub old_uploads: u64,
    /// Rows of the audit past their time that were removed.
    pub old_audit_rows: u64,
    /// Rows that a fault left for later.
    pub failed: u64,
}

/// A round to be.
pub struct Job {
    /// What it works with.
    pub broker: Arc<Broker>,
    /// What of it is to be done.
    pub parts: Vec<Part>,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// Who hears of it.
    pub report: Report,
    /// Ends it early; the rows at hand are finished.
    pub stop: CancellationToken,
}

/// Runs a round every `period` until `stop`; the rows at hand are finished.
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

/// One round, all parts of it but those that walk through the bucket. Memory is bounded by a page.
pub async fn run_once(broker: &Arc<Broker>, stop: &CancellationToken) -> Result<Round> {
    let job = Job {
        broker: Arc::clone(broker),
        parts: Part::ALL.to_vec(),
        dry_run: false,
        report: Report::to_nobody(),
        stop: stop.clone(),
    };
    job.round().await
}

impl Job {
    /// One round over everything that is due. A part that fails as a whole ends the round.
    pub async fn round(&self) -> Result<Round> {
        let mut round = Round::default();
        for (part, chore) in [
            (Part::Overdue, Chore::Expire),
            (Part::Deletes, Chore::FinishDelete),
            (Part::LastLooks, Chore::Settle),
        ] {
            if !self.parts.contains(&part) {
                continue;
            }
            if self.dry_run {
                self.rehearse(chore, &mut round).await?;
                continue;
            }
            if chore == Chore::Settle {
                self.settle_closed().await?;
            }
            self.chore(chore, &mut round).await?;
        }
        if self.parts.contains(&Part::Keys) {
            round.forgotten = self.let_go(FindingKind::OldIdempotencyKeys).await?;
            round.ended_tokens = self.let_go(FindingKind::EndedTokens).await?;
        }
        if self.parts.contains(&Part::Retention) {
            round.old_events = self.let_go(FindingKind::OldEvents).await?;
            round.old_uploads = self.let_go(FindingKind::OldUploads).await?;
            round.old_audit_rows = self.let_go(FindingKind::OldAuditRows).await?;
        }
        if !self.dry_run {
            tidy_quotas::tidy(&self.broker).await?;
        }
        Ok(round)
    }

    /// Marks those that need no last look.
    async fn settle_closed(&self) -> Result<()> {
        while !self.stop.is_cancelled() {
            if settle::settle_closed(&self.broker, ROWS).await? < usize::from(ROWS) {
                break;
            }
        }
        Ok(())
    }

    /// Removes what is old, a bounded number of rows in a transaction, and says how much it was.
    async fn let_go(&self, kind: FindingKind) -> Result<u64> {
        let mut all = 0;
        if self.dry_run {
            all = self.foresee(kind).await?;
        }
        while !self.dry_run && !self.stop.is_cancelled() {
            let gone = match kind {
                FindingKind::OldEvents => retain::remove(&self.broker, Old::Events, ROWS).await?,
                FindingKind::OldUploads => retain::remove(&self.broker, Old::Uploads, ROWS).await?,
                FindingKind::OldAuditRows => retain::remove(&self.broker, Old::Audit, ROWS).await?,
                FindingKind::EndedTokens => forget::tokens(&self.broker, ROWS).await?,
                _ => forget::forget(&self.broker, ROWS).await?,
            };
            self.broker.metrics.janitor.removed(kind.as_str(), gone);
            all += gone;
            if gone < u64::from(ROWS) {
                break;
            }
        }
        if all > 0 {
            self.report
                .tell(&Finding::for_rows(kind, all, self.dry_run));
        }
        Ok(all)
    }

    async fn foresee(&self, kind: FindingKind) -> Result<u64> {
        match kind {
            FindingKind::OldEvents => retain::foresee(&self.broker, Old::Events).await,
            FindingKind::OldUploads => retain::foresee(&self.broker, Old::Uploads).await,
            FindingKind::OldAuditRows => retain::foresee(&self.broker, Old::Audit).await,
            FindingKind::EndedTokens => forget::foresee_tokens(&self.broker).await,
            _ => forget::foresee(&self.broker).await,
        }
    }
}
