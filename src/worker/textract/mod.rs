//! `pdf-text` by Amazon Textract, over several attempts at a job.
//!
//! ```text
//!   attempt: start a run ──▶ wait, without a slot and a lease ──▶ attempt: fetch its text,
//!                              ▲ asks again, or is woken by         an answer at a time, into Postgres
//!                              │ the notification of the end                │
//!                              └────────── still running ◀──────────────────┤
//!                                                                           ▼
//!                                          bounded child process: pages and the dataset .txt
//! ```
//!
//! Textract reads the object itself. An attempt that only waits does not count, and other jobs use its
//! slot meanwhile.
//!
//! | Fault | What happens |
//! |---|---|
//! | the worker is killed after the start of a run | the next attempt starts with the same token, which returns the same run: it is paid for once |
//! | the worker is killed between two answers | the next attempt continues with the token of the next answer |
//! | Textract accepts no more calls or runs | the job waits, and asks again |
//! | the notification is lost | the job asks again after ten minutes |
//! | the run fails, or Textract cannot read the document | the job fails, with the reason; a retry starts another run |
//! | the run is unknown, because its results are only kept for seven days | another run is started |
//! | the run has not ended after a day | another run is started |
//! | some pages cannot be read | success, `partial` in the report |
//! | the dataset is replaced while Textract reads it | its text is discarded with the run, and the attempt counts as a failed one |

mod fetch;
mod notified;
mod start;

use serde_json::json;

use super::Worker;
use super::outcome;
use super::work::{Unprepared, Work};
use crate::domain::job::Job;
use crate::domain::text_detection::DetectionRun;
use crate::domain::upload::Upload;
use crate::processors::DETECTED_TEXT;
use crate::processors::child::Input;
use crate::textract::Textract;
use crate::usecases::documents::detection;
use crate::usecases::jobs::attempt::AttemptEnd;
use crate::usecases::uploads::read_object;
use tokio_util::sync::CancellationToken;

impl Worker {
    /// Brings the detection of the text of an upload forward. Returns the work with the text, once
    /// it was fetched to its end.
    ///
    /// # Errors
    /// How the attempt ends without it.
    pub(super) async fn prepare_detected_text(
        &self,
        textract: &Textract,
        job: &Job,
        upload: &Upload,
        stop: &CancellationToken,
    ) -> Result<Work, Unprepared> {
        let detection = detection::find(&self.broker, job).await?;
        let starts = detection.starts;
        let Some(run) = detection.run else {
            return Err(self.start_run(textract, job, upload, starts).await);
        };
        let run = match run.is_fetched {
            true => run,
            false => self.fetch_run(textract, job, run, starts, stop).await?,
        };
        if !read_object::is_unchanged(&self.broker, upload).await? {
            let message = "The dataset was replaced while its text was detected.";
            return Err(self.forget_run(job, starts, message).await);
        }
        self.open_detected_text(job, &run).await
    }

    async fn open_detected_text(&self, job: &Job, run: &DetectionRun) -> Result<Work, Unprepared> {
        let pages = run.pages.unwrap_or_default();
        let text = detection::open_text(&self.broker, job, pages).await?;
        Ok(Work {
            processor: &DETECTED_TEXT,
            options: json!({"pages": pages, "missing_pages": run.missing_pages.len()}),
            inputs: vec![Input {
                size: text.size,
                bytes: text.bytes,
            }],
            found_before: None,
        })
    }

    /// Forgets the run, and lets the attempt count as a failed one.
    async fn forget_run(&self, job: &Job, starts: u32, message: &str) -> Unprepared {
        match detection::forget_run(&self.broker, job, starts).await {
            Ok(true) => Unprepared::Ended(AttemptEnd::TryAgain {
                message: message.to_owned(),
            }),
            Ok(false) => Unprepared::LeaseLost,
            Err(error) => Unprepared::Ended(outcome::of_error(&error)),
        }
    }
}
