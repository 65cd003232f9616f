//! Starts a run for the document of a job.

use chrono::TimeDelta;

use super::super::Worker;
use super::super::work::Unprepared;
use crate::domain::job::Job;
use crate::domain::upload::Upload;
use crate::textract::{Document, FaultKind, MAX_BYTES, MAX_PAGES, Textract, TextractError};
use crate::usecases::documents::detection;
use crate::usecases::jobs::attempt::AttemptEnd;
use crate::usecases::uploads::read_object;

/// When a job asks again whose end is published, in case the notification is lost.
const WAIT_FOR_NOTIFICATION: TimeDelta = TimeDelta::minutes(10);

impl Worker {
    /// Starts the run that follows `starts` others, and returns how the attempt ends.
    pub(super) async fn start_run(
        &self,
        textract: &Textract,
        job: &Job,
        upload: &Upload,
        starts: u32,
    ) -> Unprepared {
        match self.try_start_run(textract, job, upload, starts).await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn try_start_run(
        &self,
        textract: &Textract,
        job: &Job,
        upload: &Upload,
        starts: u32,
    ) -> Result<Unprepared, Unprepared> {
        let Some(object) = &upload.object else {
            let message = format!("{} has no proven object.", upload.path);
            return Ok(Unprepared::Ended(AttemptEnd::TryAgain { message }));
        };
        if object.size > MAX_BYTES {
            return Ok(Unprepared::failed(format!(
                "Textract reads documents of at most {MAX_BYTES} bytes and {MAX_PAGES} pages; this one has {} bytes (pdf-too-large)",
                object.size
            )));
        }
        if !read_object::is_unchanged(&self.broker, upload).await? {
            let message = "The dataset was replaced.".to_owned();
            return Ok(Unprepared::Ended(AttemptEnd::TryAgain { message }));
        }
        let document = Document {
            bucket: &upload.bucket,
            key: &upload.key,
            version: object.version_id.as_deref(),
        };
        let number = starts.saturating_add(1);
        let (token, tag) = (format!("{}-{number}", job.id), job.id.to_string());
        match textract.start(document, &token, &tag).await {
            Ok(run) => {
                log::info!("job {}: Textract has started the run {run}", job.id);
                match detection::save_run(&self.broker, job, number, &run).await? {
                    true => Ok(self.wait_for_end(textract)),
                    false => Ok(Unprepared::LeaseLost),
                }
            }
            // The settings have changed since the start whose answer was lost.
            Err(error) if error.kind == FaultKind::TokenUsed => {
                Ok(self.forget_run(job, number, &text_of(&error)).await)
            }
            Err(error) => Ok(end_of(job, &error)),
        }
    }

    /// The end of an attempt whose run goes on.
    pub(super) fn wait_for_end(&self, textract: &Textract) -> Unprepared {
        let is_woken = textract.publishes_ends() && self.queue.is_some();
        Unprepared::Ended(AttemptEnd::Waiting {
            message: "Textract reads the document.".to_owned(),
            wait: is_woken.then_some(WAIT_FOR_NOTIFICATION),
        })
    }
}

/// What an error means for the attempt.
pub(super) fn end_of(job: &Job, error: &TextractError) -> Unprepared {
    log::warn!("job {}: {error}", job.id);
    let message = text_of(error);
    match error.kind {
        FaultKind::Busy => Unprepared::Ended(AttemptEnd::Waiting {
            message,
            wait: None,
        }),
        FaultKind::Document => Unprepared::failed(message),
        _ => Unprepared::Ended(AttemptEnd::TryAgain { message }),
    }
}

/// The error for the owner of the dataset. What the service says is in the log: it may name the bucket
/// and the role.
pub(super) fn text_of(error: &TextractError) -> String {
    let what = match error.kind {
        FaultKind::Busy => "Textract accepts no more calls at present",
        FaultKind::Document => {
            return format!(
                "Textract cannot read the document; it reads PDF files of at most {MAX_BYTES} bytes and {MAX_PAGES} pages that open without a password ({})",
                error.code
            );
        }
        FaultKind::TokenUsed => "The settings of Textract have changed",
        FaultKind::UnknownRun => "Textract no longer has the text",
        FaultKind::Parameters | FaultKind::Refused => "Textract has refused the call",
        FaultKind::Unavailable => "Textract does not answer",
    };
    format!("{what} ({}).", error.code)
}
