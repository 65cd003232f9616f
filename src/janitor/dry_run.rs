//! The dry run: it reads Postgres and S3 as a round does, and leases and changes nothing.

use super::job::{Job, PAGE, Round};
use crate::domain::finding::Outcome;
use crate::domain::upload::Upload;
use crate::usecases::Result;
use crate::usecases::maintenance::claim::{self, Chore};
use crate::usecases::maintenance::expire;
use crate::usecases::maintenance::settle;

impl Job {
    /// Reports the outcome that `chore` would have for every row that is due.
    pub(super) async fn dry_run_chore(&self, chore: Chore, round: &mut Round) -> Result<()> {
        let since = self.broker.clock.now();
        let mut last: Option<Upload> = None;
        loop {
            let page = claim::peek(&self.broker, chore, since, last.as_ref(), PAGE).await?;
            for upload in &page {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                let outcome = self
                    .predict_outcome(chore, upload)
                    .await
                    .unwrap_or_else(|error| {
                        log::warn!("janitor: cannot check upload {}: {error}", upload.id);
                        Outcome::Failed
                    });
                self.record(chore, upload, outcome, round);
            }
            if page.len() < usize::from(PAGE) {
                return Ok(());
            }
            last = page.into_iter().next_back();
        }
    }

    async fn predict_outcome(&self, chore: Chore, upload: &Upload) -> Result<Outcome> {
        Ok(match chore {
            Chore::Expire => expire::foresee(&self.broker, upload).await?.into(),
            Chore::FinishDelete => Outcome::Deleted,
            Chore::Settle => settle::foresee(&self.broker, upload).await?.into(),
        })
    }
}
