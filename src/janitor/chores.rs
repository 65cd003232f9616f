//! Work on claimed rows: a page is claimed, worked off a few rows at a time, and the next one
//! claimed, until nothing is due any more.

use futures::stream::{self, StreamExt as _};

use super::{Job, PAGE, Round};
use crate::domain::finding::{Finding, FindingKind, Outcome};
use crate::domain::upload::Upload;
use crate::usecases::Result;
use crate::usecases::maintenance::claim::{self, Chore, Held, LeasedUpload};
use crate::usecases::maintenance::expire::{self, Looked};
use crate::usecases::maintenance::settle::{self, Settled};
use crate::usecases::uploads::delete;

/// Rows at once. Each takes one connection to Postgres at most.
const AT_ONCE: usize = 4;

impl Job {
    /// Does one chore for every row that waits for it. Each gets its turn once: what fails is put
    /// off, and the round goes on with the others.
    pub(super) async fn chore(&self, chore: Chore, round: &mut Round) -> Result<()> {
        let since = self.broker.clock.now();
        while !self.stop.is_cancelled() {
            let (rows, held) = claim::claim(&self.broker, chore, since, PAGE).await?;
            // What others hold is not in it, and theirs.
            let is_last = rows.len() < usize::from(PAGE);
            let work = self.work_off(chore, rows, &held, round);
            held.during(&self.broker, work).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn work_off(
        &self,
        chore: Chore,
        rows: Vec<LeasedUpload>,
        held: &Held,
        round: &mut Round,
    ) -> Result<()> {
        let (mut unbegun, mut worked) = (Vec::new(), Vec::new());
        let mut work = stream::iter(rows)
            .map(|row| async move {
                if self.stop.is_cancelled() || !held.has(row.upload.id) {
                    return (row, None);
                }
                let done = self.work(chore, &row).await;
                (row, Some(done))
            })
            .buffer_unordered(AT_ONCE);
        while let Some((row, done)) = work.next().await {
            let id = row.upload.id;
            match done {
                None => unbegun.push(id),
                Some(Ok(outcome)) => {
                    self.tell(chore, &row.upload, outcome, round);
                    worked.push(id);
                }
                Some(Err(error)) => {
                    log::warn!("janitor: upload {id} waits on ({chore:?}): {error}");
                    self.tell(chore, &row.upload, Outcome::Failed, round);
                    // Where this fails too, the lease ends by itself.
                    let ids = [id];
                    let put_off = claim::put_off(&self.broker, &ids, row.attempts, held);
                    if let Err(error) = put_off.await {
                        log::warn!("janitor: upload {id} stays claimed: {error}");
                    }
                }
            }
            held.over(id);
        }
        if !unbegun.is_empty() {
            claim::give_back(&self.broker, &unbegun, held).await?;
        }
        // Nearly all have changed and are free: this is for those that were left as they were.
        if !worked.is_empty() {
            claim::put_off(&self.broker, &worked, 1, held).await?;
        }
        Ok(())
    }

    async fn work(&self, chore: Chore, row: &LeasedUpload) -> Result<Outcome> {
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

    /// Counts an outcome and reports it.
    pub(super) fn tell(&self, chore: Chore, upload: &Upload, outcome: Outcome, round: &mut Round) {
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
        self.report.tell(&finding);
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
            (Chore::Settle, Outcome::Removed | Outcome::Kept | Outcome::Clean) => self.settled += 1,
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
