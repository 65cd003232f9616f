//! One attempt at a job: reads the dataset, runs the processor in a child, and writes the results.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;

use super::Worker;
use super::outcome;
use super::pages::WrittenPages;
use super::work::Unprepared;
use crate::domain::job::{Job, JobOutput};
use crate::domain::upload::Upload;
use crate::lifecycle::renewal::Renewed;
use crate::processors::child::{self, Finished, ResultFile, Task};
use crate::processors::{self, Processor};
use crate::usecases;
use crate::usecases::jobs::attempt::{self, AttemptEnd};
use crate::usecases::jobs::write_result::{LocalResult, write_result};

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
        let work = match self.prepare_work(processor, job, upload, stop).await {
            Ok(work) => work,
            Err(Unprepared::Ended(end)) => return Some(end),
            Err(Unprepared::LeaseLost) => return None,
        };
        let task = Task {
            processor: work.processor,
            options: &work.options,
            inputs: work.inputs,
            limits: &self.limits,
            progress,
        };
        let mut finished = match child::run(&self.program, task, stop).await {
            Ok(finished) => finished,
            Err(error) => return Some(outcome::of_child_error(error)),
        };
        if let (Some(found), Some(report)) = (work.found_before, finished.report.as_object_mut()) {
            report.insert("planned".to_owned(), found);
        }
        match self.write_all(job, upload, processor, finished).await {
            Ok(end) => end,
            Err(error) => {
                let (id, name) = (job.id, processor.name);
                log::debug!("job {id}: the results of {name} were not written: {error}");
                Some(outcome::of_error(&error))
            }
        }
    }

    /// Writes the results and the pages of a document. `None` if the lease was lost.
    async fn write_all(
        &self,
        job: &Job,
        upload: &Upload,
        processor: &Processor,
        finished: Finished,
    ) -> usecases::Result<Option<AttemptEnd>> {
        let report = finished.report;
        let Some(outputs) = self.write(job, upload, finished.results).await? else {
            return Ok(None);
        };
        let records = finished
            .records
            .filter(|_| processors::has_pages(processor));
        let document_pages = match records {
            None => None,
            Some(records) => match self
                .write_pages(job, &upload.path, records.file, &report)
                .await?
            {
                WrittenPages::All(pages) => Some(pages),
                WrittenPages::LeaseLost => return Ok(None),
                WrittenPages::Invalid => return Ok(Some(outcome::of_invalid_records())),
            },
        };
        Ok(Some(AttemptEnd::Succeeded {
            outputs,
            report,
            document_pages,
        }))
    }

    /// Writes and proves the results, one after the other. `None` if the lease was lost.
    async fn write(
        &self,
        job: &Job,
        upload: &Upload,
        results: Vec<ResultFile>,
    ) -> usecases::Result<Option<Vec<JobOutput>>> {
        let is_leased = || async move {
            let renewed = attempt::renew(&self.broker, job, self.lease, None).await;
            renewed == Renewed::Held
        };
        let mut outputs = Vec::with_capacity(results.len());
        for result in results {
            let result = LocalResult {
                kind: result.result_type.kind,
                name: result.name,
                extension: result.result_type.extension,
                content_type: result.result_type.content_type,
                file: Arc::new(result.local.file),
                size: result.local.size,
            };
            match write_result(&self.broker, job, upload, &result, is_leased).await? {
                Some(output) => outputs.push(output),
                None => return Ok(None),
            }
        }
        Ok(Some(outputs))
    }
}
