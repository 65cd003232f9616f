//! Work on leased rows. A page of rows is leased and processed a few rows at a time, then the next
//! page is leased, until no row is due.

use futures::stream::{self, StreamExt as _};

use super::job::{Job, PAGE, Round};
use crate::domain::finding::{Finding, FindingKind, Outcome};
use crate::domain::upload::Upload;
use crate::usecases::Result;
use crate::usecases::maintenance::claim::{self, Chore, Held, LeasedUpload};
use crate::usecases::maintenance::expire::{self, Looked};
use crate::usecases::maintenance::settle::{self, Settled};
use crate::usecases::uploads::delete;

/// The number of rows that are processed at the same time. Each uses one connection to Postgres at
/// most.
const CONCURRENT_ROWS: usize = 4;

impl Job {
    /// Runs one chore for every row that is due. Each row is processed once in a round: a row whose
    /// work fails is postponed, and the round continues with the others.
    pub(super) async fn run_chore(&self, chore: Chore, round: &mut Round) -> Result<()> {
        let since = self.broker.clock.now();
        while !self.stop.is_cancelled() {
            let (rows, held) = claim::claim(&self.broker, chore, since, PAGE).await?;
            // A page never contains rows that another replica has leased; those are processed there.
            let is_last = rows.len() < usize::from(PAGE);
            let work = self.process_page(chore, rows, &held, round);
            held.during(&self.broker, work).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn process_page(
        &self,
        chore: Chore,
        rows: Vec<LeasedUpload>,
        held: &Held,
        round: &mut Round,
    ) -> Result<()> {
        let (mut not_started, mut processed) = (Vec::new(), Vec::new());
        let mut work = stream::iter(rows)
            .map(|row| async move {
                if self.stop.is_cancelled() || !held.has(row.upload.id) {
                    return (row, None);
                }
                let result = self.process_row(chore, &row).await;
                (row, Some(result))
            })
            .buffer_unordered(CONCURRENT_ROWS);
        while let Some((row, result)) = work.next().await {
            let id = row.upload.id;
            match result {
                None => not_started.push(id),
                Some(Ok(outcome)) => {
                    self.record(chore, &row.upload, outcome, round);
                    processed.push(id);
                }
                Some(Err(error)) => {
                    log::warn!("janitor: cannot process upload {id} ({chore:?}): {error}");
                    self.record(chore, &row.upload, Outcome::Failed, round);
                    // If this fails as well, the lease expires by itself.
                    let ids = [id];
                    let put_off = claim::put_off(&self.broker, &ids, row.attempts, held);
                    if let Err(error) = put_off.await {
                        log::warn!("janitor: upload {id} stays leased: {error}");
                    }
                }
            }
            held.over(id);
        }
        if !not_started.is_empty() {
            claim::give_back(&self.broker, &not_started, held).await?;
        }
        // Nearly all of these rows have changed, and their lease ended with the change. The call
        // postpones the few rows that were left unchanged.
        if !processed.is_empty() {
            claim::put_off(&self.broker, &processed, 1, held).await?;
        }
        Ok(())
    }

    async fn process_row(&self, chore: Chore, row: &LeasedUpload) -> Result<Outcome> {
        let upload = row.upload.clone();
        Ok(match chore {
            Chore::Expire => expire::expire(&self.broker, upload).await?.into(),
            Chore::FinishDelete => {
                delete::finish(&self.broker, upload).await?;
                Outcome::Deleted
            }
            Chore::Settle => settle::settle(&self.broker, upload).await?.into(),
        })
    }

    /// Counts an outcome in `round` and in the metrics, and reports it as a finding.
    pub(super) fn record(
        &self,
        chore: Chore,
        upload: &Upload,
        outcome: Outcome,
        round: &mut Round,
    ) {
        round.count(chore, outcome);
        let metrics = &self.broker.metrics.janitor;
        let what = match chore {
            Chore::Expire => FindingKind::Overdue,
            Chore::FinishDelete => FindingKind::UnfinishedDelete,
            Chore::Settle => FindingKind::EndedUpload,
        };
        if !self.dry_run {
            match chore {
                Chore::Expire => metrics.expired(outcome.as_str()),
                Chore::FinishDelete => metrics.deleted(outcome.as_str()),
                Chore::Settle => metrics.final_check(outcome.as_str()),
            }
        }
        let finding = Finding::for_upload(what, outcome, self.dry_run, upload);
        self.report.send(&finding);
    }
}

impl Round {
    fn count(&mut self, chore: Chore, outcome: Outcome) {
        let counter = match (chore, outcome) {
            (_, Outcome::Failed) => &mut self.failed,
            (Chore::Expire, Outcome::Uploaded) => &mut self.uploaded,
            (Chore::Expire, Outcome::Expired) => &mut self.expired,
            (Chore::FinishDelete, _) => &mut self.deleted,
            (Chore::Settle, Outcome::Removed) => &mut self.removed,
            _ => &mut 0,
        };
        *counter += 1;
        match (chore, outcome) {
            (Chore::Expire, _) => self.checked += 1,
            (Chore::Settle, Outcome::Removed | Outcome::Kept | Outcome::Clean) => {
                self.finally_checked += 1;
            }
            _ => {}
        }
    }
}

impl From<Looked> for Outcome {
    fn from(looked: Looked) -> Self {
        match looked {
            Looked::Uploaded => Self::Uploaded,
            Looked::Expired => Self::Expired,
            Looked::Left => Self::Left,
        }
    }
}

impl From<Settled> for Outcome {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Removed => Self::Removed,
            Settled::Kept => Self::Kept,
            Settled::Clean => Self::Clean,
        }
    }
}
