//! The dry run: the same questions and the same looks, and nothing is claimed or changed.

use super::{Job, PAGE, Round};
use crate::domain::finding::Outcome;
use crate::domain::upload::Upload;
use crate::usecases::Result;
use crate::usecases::maintenance::claim::{self, Chore};
use crate::usecases::maintenance::expire;
use crate::usecases::maintenance::settle;

impl Job {
    /// Tells what a chore would come to for every row that waits for it.
    pub(super) async fn rehearse(&self, chore: Chore, round: &mut Round) -> Result<()> {
        let since = self.broker.clock.now();
        let mut last: Option<Upload> = None;
        loop {
            let page = claim::peek(&self.broker, chore, since, last.as_ref(), PAGE).await?;
            for upload in &page {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                let outcome = self
                    .foresee_one(chore, upload)
                    .await
                    .unwrap_or_else(|error| {
                        log::warn!("janitor: upload {} cannot be looked at: {error}", upload.id);
                        Outcome::Failed
                    });
                self.tell(chore, upload, outcome, round);
            }
            if page.len() < usize::from(PAGE) {
                return Ok(());
            }
            last = page.into_iter().next_back();
        }
    }

    async fn foresee_one(&self, chore: Chore, upload: &Upload) -> Result<Outcome> {
        Ok(match chore {
            Chore::Expire => expire::foresee(&self.broker, upload).await?.into(),
            Chore::FinishDelete => Outcome::Deleted,
            Chore::Settle => settle::foresee(&self.broker, upload).await?.into(),
        })
    }
}
