//! Work on leased rows. A page of rows is leased and processed a few rows at a time, then the next
//! page is leased, until no row is due.

use futures::stream::{self, StreamExt as _};

use super::job::{Job, PAGE, Round};
use super::row_span::row_span;
use crate::domain::finding::{Finding, FindingKind, Outcome};
use crate::domain::upload::Upload;
use crate::telemetry::trace::with_scope;
use crate::usecases::Result;
use crate::usecases::maintenance::check_arrival::{self, ArrivalCheck};
use crate::usecases::maintenance::expire::{self, ExpireOutcome};
use crate::usecases::maintenance::final_check::{self, FinalCheck};
use crate::usecases::maintenance::row_lease::{self, LeasedUpload, PageLease, RowTask};
use crate::usecases::uploads::delete;

/// The number of rows that are processed at the same time. Each uses one connection to Postgres at
/// most.
const CONCURRENT_ROWS: usize = 4;

impl Job {
    /// Runs one task for every row that is due. Each row is processed once in a round: a row whose
    /// work fails is postponed, and the round continues with the others.
    pub(super) async fn run_row_task(&self, row_task: RowTask, round: &mut Round) -> Result<()> {
        let since = self.broker.clock.now();
        while !self.stop.is_cancelled() {
            let (rows, lease) =
                row_lease::lease_due_rows(&self.broker, row_task, since, PAGE).await?;
            // A page never contains rows that another replica has leased; those are processed there.
            let is_last = rows.len() < usize::from(PAGE);
            let work = self.process_page(row_task, rows, &lease, round);
            lease.during(&self.broker, work).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn process_page(
        &self,
        row_task: RowTask,
        rows: Vec<LeasedUpload>,
        lease: &PageLease,
        round: &mut Round,
    ) -> Result<()> {
        let (mut not_started, mut processed) = (Vec::new(), Vec::new());
        let mut work = stream::iter(rows)
            .map(|row| async move {
                if self.stop.is_cancelled() || !lease.is_held(row.upload.id) {
                    return (row, None);
                }
                let mut span = row_span(&self.broker, row_task, &row.upload);
                let work = self.process_row(row_task, &row);
                let result = with_scope(span.own_scope(), work).await;
                if result.is_err() {
                    span.fail("failed");
                }
                (row, Some(result))
            })
            .buffer_unordered(CONCURRENT_ROWS);
        while let Some((row, result)) = work.next().await {
            let id = row.upload.id;
            match result {
                None => not_started.push(id),
                Some(Ok(outcome)) => {
                    self.record(row_task, &row.upload, outcome, round);
                    processed.push(id);
                }
                Some(Err(error)) => {
                    log::warn!("janitor: cannot process upload {id} ({row_task:?}): {error}");
                    self.record(row_task, &row.upload, Outcome::Failed, round);
                    // If this fails as well, the lease expires by itself.
                    let ids = [id];
                    let postponed = row_lease::postpone(&self.broker, &ids, row.attempts, lease);
                    if let Err(error) = postponed.await {
                        log::warn!("janitor: upload {id} stays leased: {error}");
                    }
                }
            }
            lease.finish(id);
        }
        if !not_started.is_empty() {
            row_lease::release(&self.broker, &not_started, lease).await?;
        }
        // Nearly all of these rows have changed, and their lease ended with the change. The call
        // postpones the few rows that were left unchanged.
        if !processed.is_empty() {
            row_lease::postpone(&self.broker, &processed, 1, lease).await?;
        }
        Ok(())
    }

    async fn process_row(&self, row_task: RowTask, row: &LeasedUpload) -> Result<Outcome> {
        let upload = row.upload.clone();
        Ok(match row_task {
            RowTask::CheckArrival => {
                let checked = check_arrival::check_arrival(&self.broker, upload).await?;
                checked.into()
            }
            RowTask::Expire => expire::expire(&self.broker, upload).await?.into(),
            RowTask::FinishDelete => {
                delete::finish(&self.broker, upload).await?;
                Outcome::Deleted
            }
            RowTask::FinalCheck => final_check::final_check(&self.broker, upload).await?.into(),
        })
    }

    /// Counts an outcome in `round` and in the metrics, and reports it as a finding.
    pub(super) fn record(
        &self,
        row_task: RowTask,
        upload: &Upload,
        outcome: Outcome,
        round: &mut Round,
    ) {
        round.count(row_task, outcome);
        let metrics = &self.broker.metrics.janitor;
        let what = match row_task {
            RowTask::CheckArrival => FindingKind::AwaitedUpload,
            RowTask::Expire => FindingKind::Overdue,
            RowTask::FinishDelete => FindingKind::UnfinishedDelete,
            RowTask::FinalCheck => FindingKind::EndedUpload,
        };
        if !self.dry_run {
            match row_task {
                RowTask::CheckArrival => metrics.arrival_checked(outcome.as_str()),
                RowTask::Expire => metrics.expired(outcome.as_str()),
                RowTask::FinishDelete => metrics.deleted(outcome.as_str()),
                RowTask::FinalCheck => metrics.final_check(outcome.as_str()),
            }
        }
        let finding = Finding::for_upload(what, outcome, self.dry_run, upload);
        self.report.send(&finding);
    }
}

impl Round {
    fn count(&mut self, row_task: RowTask, outcome: Outcome) {
        let counter = match (row_task, outcome) {
            (_, Outcome::Failed) => &mut self.failed,
            (RowTask::CheckArrival, Outcome::Uploaded) => &mut self.arrived,
            (RowTask::Expire, Outcome::Uploaded) => &mut self.uploaded,
            (RowTask::Expire, Outcome::Expired) => &mut self.expired,
            (RowTask::FinishDelete, _) => &mut self.deleted,
            (RowTask::FinalCheck, Outcome::Removed) => &mut self.removed,
            _ => &mut 0,
        };
        *counter += 1;
        match (row_task, outcome) {
            (RowTask::Expire, _) => self.checked += 1,
            (RowTask::FinalCheck, Outcome::Removed | Outcome::Kept | Outcome::Clean) => {
                self.finally_checked += 1;
            }
            _ => {}
        }
    }
}

impl From<ArrivalCheck> for Outcome {
    fn from(check: ArrivalCheck) -> Self {
        match check {
            ArrivalCheck::Uploaded => Self::Uploaded,
            ArrivalCheck::Refused => Self::Refused,
            ArrivalCheck::Unchanged => Self::Left,
        }
    }
}

impl From<ExpireOutcome> for Outcome {
    fn from(outcome: ExpireOutcome) -> Self {
        match outcome {
            ExpireOutcome::Uploaded => Self::Uploaded,
            ExpireOutcome::Expired => Self::Expired,
            ExpireOutcome::Unchanged => Self::Left,
        }
    }
}

impl From<FinalCheck> for Outcome {
    fn from(check: FinalCheck) -> Self {
        match check {
            FinalCheck::Removed => Self::Removed,
            FinalCheck::Kept => Self::Kept,
            FinalCheck::Clean => Self::Clean,
        }
    }
}
