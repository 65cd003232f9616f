//! Fetches the text of a run, an answer at a time.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::super::Worker;
use super::super::work::Unprepared;
use super::start::{end_of, text_of};
use crate::domain::job::Job;
use crate::domain::text_detection::DetectionRun;
use crate::textract::{Answer, FaultKind, MAX_PAGES, ResultPage, Textract, TextractError};
use crate::usecases::documents::detection::{self, NewAnswer};
use crate::usecases::jobs::attempt::AttemptEnd;

/// How long a run may take. Textract reads a document in minutes.
const LONGEST_RUN: TimeDelta = TimeDelta::days(1);

impl Worker {
    /// Fetches what is missing of the text of a run with the number `starts`. Returns the run once
    /// its text was fetched to its end.
    ///
    /// # Errors
    /// How the attempt ends without it.
    pub(super) async fn fetch_run(
        &self,
        textract: &Textract,
        job: &Job,
        mut run: DetectionRun,
        starts: u32,
        stop: &CancellationToken,
    ) -> Result<DetectionRun, Unprepared> {
        while !run.is_fetched {
            let fetched = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Unprepared::Ended(AttemptEnd::GivenBack)),
                fetched = textract.fetch(&run.id, run.next_answer.as_deref()) => fetched,
            };
            let results = match fetched {
                Ok(Answer::Results(results)) => results,
                Ok(Answer::Running) => {
                    return Err(self.wait_or_forget(textract, job, &run, starts).await);
                }
                Ok(Answer::Failed { reason }) => {
                    return Err(self.fail_run(job, starts, &reason).await);
                }
                Err(error) => return Err(self.end_of_fetch(job, &run, starts, &error).await),
            };
            if results.pages == 0 || results.pages > MAX_PAGES {
                let reason = format!("it reports {} pages", results.pages);
                return Err(self.fail_run(job, starts, &reason).await);
            }
            run = self.add_results(job, run, results).await?;
        }
        Ok(run)
    }

    async fn add_results(
        &self,
        job: &Job,
        mut run: DetectionRun,
        mut results: ResultPage,
    ) -> Result<DetectionRun, Unprepared> {
        let is_page = |page: u32| (1..=results.pages).contains(&page);
        results.texts.retain(|text| is_page(text.page));
        results.missing.retain(|page| is_page(*page));
        let answer = NewAnswer {
            pages: results.pages,
            texts: &results.texts,
            missing_pages: &results.missing,
            next_answer: results.next_answer.as_deref(),
        };
        if !detection::add_answer(&self.broker, job, &run, &answer).await? {
            return Err(Unprepared::LeaseLost);
        }
        run.answers = run.answers.saturating_add(1);
        run.pages = Some(results.pages);
        run.missing_pages.append(&mut results.missing);
        run.is_fetched = results.next_answer.is_none();
        run.next_answer = results.next_answer;
        Ok(run)
    }

    /// The end of an attempt whose run has not ended.
    async fn wait_or_forget(
        &self,
        textract: &Textract,
        job: &Job,
        run: &DetectionRun,
        starts: u32,
    ) -> Unprepared {
        match self.broker.clock.now() - run.started_at >= LONGEST_RUN {
            true => {
                let message = "Textract has not read the document within a day.";
                self.forget_run(job, starts, message).await
            }
            false => self.wait_for_end(textract),
        }
    }

    /// The end of an attempt whose run has failed. A retry of the job starts another run.
    async fn fail_run(&self, job: &Job, starts: u32, reason: &str) -> Unprepared {
        match detection::forget_run(&self.broker, job, starts).await {
            Ok(true) => Unprepared::failed(format!(
                "Textract cannot read the document: {reason} (textract-failed)"
            )),
            Ok(false) => Unprepared::LeaseLost,
            Err(error) => error.into(),
        }
    }

    async fn end_of_fetch(
        &self,
        job: &Job,
        run: &DetectionRun,
        starts: u32,
        error: &TextractError,
    ) -> Unprepared {
        match error.kind {
            FaultKind::UnknownRun => {
                log::warn!("job {}: {error}", job.id);
                self.forget_run(job, starts, &text_of(error)).await
            }
            FaultKind::Parameters if run.next_answer.is_some() => {
                log::warn!(
                    "job {}: {error}; its text is fetched again from the start",
                    job.id
                );
                match detection::discard_answers(&self.broker, job).await {
                    Ok(true) => end_of(job, error),
                    Ok(false) => Unprepared::LeaseLost,
                    Err(error) => error.into(),
                }
            }
            _ => end_of(job, error),
        }
    }
}
