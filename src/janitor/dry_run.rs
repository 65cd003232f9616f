//! The dry run: it reads Postgres and S3 as a round does, and leases and changes nothing.

use super::job::{Job, PAGE, Round};
use crate::domain::finding::Outcome;
use crate::domain::upload::Upload;
use crate::usecases::Result;
use crate::usecases::maintenance::check_arrival;
use crate::usecases::maintenance::expire;
use crate::usecases::maintenance::final_check;
use crate::usecases::maintenance::row_lease::{self, RowTask};

impl Job {
    /// Reports the outcome that `row_task` would have for every row that is due.
    pub(super) async fn dry_run_row_task(
        &self,
        row_task: RowTask,
        round: &mut Round,
    ) -> Result<()> {
        let since = self.broker.clock.now();
        let mut last: Option<Upload> = None;
        loop {
            let page = row_lease::list_due_rows(&self.broker, row_task, since, last.as_ref(), PAGE)
                .await?;
            for upload in &page {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                let outcome =
                    self.predict_outcome(row_task, upload)
                        .await
                        .unwrap_or_else(|error| {
                            log::warn!("janitor: cannot check upload {}: {error}", upload.id);
                            Outcome::Failed
                        });
                self.record(row_task, upload, outcome, round);
            }
            if page.len() < usize::from(PAGE) {
                return Ok(());
            }
            last = page.into_iter().next_back();
        }
    }

    async fn predict_outcome(&self, row_task: RowTask, upload: &Upload) -> Result<Outcome> {
        Ok(match row_task {
            RowTask::CheckArrival => check_arrival::predict(&self.broker, upload).await?.into(),
            RowTask::Expire => expire::predict(&self.broker, upload).await?.into(),
            RowTask::FinishDelete => Outcome::Deleted,
            RowTask::FinalCheck => final_check::predict(&self.broker, upload).await?.into(),
        })
    }
}
