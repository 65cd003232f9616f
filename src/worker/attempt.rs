//! One attempt at a job: reads the dataset, runs the processor in a child, and writes the result.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;

use super::Worker;
use super::outcome;
use crate::domain::job::Job;
use crate::domain::upload::Upload;
use crate::lifecycle::renewal::Renewed;
use crate::processors::child::{self, Input, Task};
use crate::processors::{self, Processor};
use crate::usecases::jobs::attempt::{self, AttemptEnd};
use crate::usecases::jobs::write_result::{LocalResult, write_result};
use crate::usecases::uploads::read_object;

impl Worker {
    /// Makes an attempt, and returns how it ends; `None` if the lease was lost.
    pub(super) async fn attempt(
        &self,
        job: &Job,
        upload: &Upload,
        progress: &AtomicU64,
        stop: &CancellationToken,
    ) -> Option<AttemptEnd> {
        let Some(processor) = processors::find(&job.processor) else {
            return Some(AttemptEnd::TryAgain {
                message: format!("This worker has no processor {}.", job.processor),
            });
        };
        let input = match read_object::open(&self.broker, upload).await {
            Ok(Some(object)) => Input {
                size: object.size,
                bytes: object.bytes,
            },
            Ok(None) => {
                return Some(AttemptEnd::TryAgain {
                    message: "The upload has no proven object.".to_owned(),
                });
            }
            Err(error) => return Some(outcome::of_error(&error)),
        };
        let task = Task {
            processor,
            options: &job.options,
            inputs: vec![input],
            limits: &self.limits,
            progress,
        };
        let finished = match child::run(&self.program, task, stop).await {
            Ok(finished) => finished,
            Err(error) => return Some(outcome::of_child_error(error)),
        };
        let result = LocalResult {
            kind: processor.result_kind,
            extension: processor.extension,
            content_type: processor.content_type,
            file: Arc::new(finished.file),
            size: finished.size,
        };
        self.write(job, upload, processor, &result, finished.report)
            .await
    }

    async fn write(
        &self,
        job: &Job,
        upload: &Upload,
        processor: &Processor,
        result: &LocalResult,
        report: serde_json::Value,
    ) -> Option<AttemptEnd> {
        let is_leased = || async move {
            let renewed = attempt::renew(&self.broker, job, self.lease, None).await;
            renewed == Renewed::Held
        };
        match write_result(&self.broker, job, upload, result, is_leased).await {
            Ok(Some(output)) => Some(AttemptEnd::Succeeded {
                outputs: vec![output],
                report,
            }),
            Ok(None) => None,
            Err(error) => {
                let id = job.id;
                log::debug!(
                    "job {id}: the result of {} was not written: {error}",
                    processor.name
                );
                Some(outcome::of_error(&error))
            }
        }
    }
}
