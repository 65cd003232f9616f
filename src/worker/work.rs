//! What there is to do for a job: the processor in the child, its options and its inputs.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Worker, outcome};
use crate::domain::job::Job;
use crate::domain::upload::Upload;
use crate::processors::child::Input;
use crate::processors::{self, Processor, Source};
use crate::usecases::Error;
use crate::usecases::jobs::attempt::AttemptEnd;
use crate::usecases::jobs::plan::{self, Prepared};
use crate::usecases::uploads::read_object;

/// The processor that a child runs, its options and its inputs.
pub(super) struct Work {
    pub(super) processor: &'static Processor,
    pub(super) options: Value,
    pub(super) inputs: Vec<Input<'static>>,
    /// What the jobs found whose results are the inputs, if they are results.
    pub(super) found_before: Option<Value>,
}

impl From<Error> for Unprepared {
    fn from(error: Error) -> Self {
        Self::Ended(outcome::of_error(&error))
    }
}

/// Why there is nothing to do for a child.
#[derive(Debug)]
pub(super) enum Unprepared {
    /// The attempt ends like this.
    Ended(AttemptEnd),
    /// The lease of the job was lost.
    LeaseLost,
}

impl Unprepared {
    /// The same dataset would fail again.
    pub(super) fn failed(message: String) -> Self {
        let report = None;
        Self::Ended(AttemptEnd::Failed { message, report })
    }
}

impl Worker {
    /// Opens the inputs of a job. Nothing is read of them yet. If Textract extracts the text of
    /// documents, the input is that text, and several attempts may pass until it is there.
    ///
    /// # Errors
    /// How the attempt ends without them.
    pub(super) async fn prepare_work(
        &self,
        processor: &'static Processor,
        job: &Job,
        upload: &Upload,
        stop: &CancellationToken,
    ) -> Result<Work, Unprepared> {
        if let Some(textract) = &self.textract
            && processors::has_pages(processor)
        {
            return self
                .prepare_detected_text(textract, job, upload, stop)
                .await;
        }
        let results_of = match processor.source {
            Source::Dataset => {
                return Ok(Work {
                    processor,
                    options: job.options.clone(),
                    inputs: vec![self.open(upload).await?],
                    found_before: None,
                });
            }
            Source::ResultsOf(other) => other,
        };
        match plan::prepare(&self.broker, upload, results_of).await? {
            Prepared::Ready {
                options,
                results,
                found,
            } => {
                let mut inputs = Vec::with_capacity(results.len());
                for result in &results {
                    inputs.push(self.open(result).await?);
                }
                Ok(Work {
                    processor,
                    options,
                    inputs,
                    found_before: Some(found),
                })
            }
            Prepared::Waiting { message } => Err(Unprepared::Ended(AttemptEnd::Waiting {
                message,
                wait: None,
            })),
            Prepared::Unusable { message } => Err(Unprepared::failed(message)),
        }
    }

    async fn open(&self, upload: &Upload) -> Result<Input<'static>, Unprepared> {
        match read_object::open(&self.broker, upload).await? {
            Some(object) => Ok(Input {
                size: object.size,
                bytes: object.bytes,
            }),
            None => Err(Unprepared::Ended(AttemptEnd::TryAgain {
                message: format!("{} has no proven object.", upload.path),
            })),
        }
    }
}
