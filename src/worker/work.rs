//! What there is to do for a job: the options and inputs of its processor.

use serde_json::Value;

use super::{Worker, outcome};
use crate::domain::job::Job;
use crate::domain::upload::Upload;
use crate::processors::Source;
use crate::processors::child::Input;
use crate::usecases::jobs::attempt::AttemptEnd;
use crate::usecases::jobs::plan::{self, Prepared};
use crate::usecases::uploads::read_object;

/// The options and inputs of a processor.
pub(super) struct Work {
    pub(super) options: Value,
    pub(super) inputs: Vec<Input<'static>>,
    /// What the jobs found whose results are the inputs, if they are results.
    pub(super) found_before: Option<Value>,
}

impl Worker {
    /// Opens the inputs of a job. Nothing is read of them yet.
    ///
    /// # Errors
    /// How the attempt ends without them.
    pub(super) async fn prepare_work(
        &self,
        source: Source,
        job: &Job,
        upload: &Upload,
    ) -> Result<Work, AttemptEnd> {
        let processor = match source {
            Source::Dataset => {
                return Ok(Work {
                    options: job.options.clone(),
                    inputs: vec![self.open(upload).await?],
                    found_before: None,
                });
            }
            Source::ResultsOf(processor) => processor,
        };
        let prepared = plan::prepare(&self.broker, upload, processor).await;
        match prepared.map_err(|error| outcome::of_error(&error))? {
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
                    options,
                    inputs,
                    found_before: Some(found),
                })
            }
            Prepared::Waiting { message } => Err(AttemptEnd::Waiting { message }),
            Prepared::Unusable { message } => Err(AttemptEnd::Failed {
                message,
                report: None,
            }),
        }
    }

    async fn open(&self, upload: &Upload) -> Result<Input<'static>, AttemptEnd> {
        match read_object::open(&self.broker, upload).await {
            Ok(Some(object)) => Ok(Input {
                size: object.size,
                bytes: object.bytes,
            }),
            Ok(None) => Err(AttemptEnd::TryAgain {
                message: format!("{} has no proven object.", upload.path),
            }),
            Err(error) => Err(outcome::of_error(&error)),
        }
    }
}
