//! Runs one claimed job from its claim to its end, and renews its lease meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Worker;
use crate::domain::job::Job;
use crate::domain::upload::Upload;
use crate::lifecycle::renewal::Renewal;
use crate::telemetry::trace::{RemoteContext, Span, SpanKind, with_scope};
use crate::usecases::Broker;
use crate::usecases::jobs::attempt::{self, Ended};
use crate::usecases::jobs::cause::find_traceparent;

impl Worker {
    /// Runs a job, and ends it. When `give_back` is cancelled, the job is given back. With traces, an
    /// attempt is a trace of its own, which the events that it causes belong to. It has a link to the
    /// trace of the request that completed the upload.
    pub(super) async fn run_job(
        self: &Arc<Self>,
        job: Job,
        upload: Upload,
        give_back: &CancellationToken,
    ) {
        let span = self.job_span(&job, &upload).await;
        let run = self.run_traced_job(job, upload, give_back);
        with_scope(span.own_scope(), run).await;
    }

    async fn job_span(&self, job: &Job, upload: &Upload) -> Span {
        let Some(tracer) = &self.broker.observers.tracer else {
            return Span::none();
        };
        let processor = known_name(&job.processor);
        let cause = find_cause(&self.broker, upload.id).await;
        let mut span = tracer.detached_span(format!("job {processor}"), SpanKind::Consumer, cause);
        if span.is_recorded() {
            span.set("upload_broker.job_id", job.id.to_string());
            span.set("upload_broker.upload_id", upload.id.to_string());
            span.set("upload_broker.tenant", upload.tenant.clone());
            span.set("upload_broker.attempt", i64::from(job.attempts));
        }
        span
    }

    async fn run_traced_job(
        self: &Arc<Self>,
        job: Job,
        upload: Upload,
        give_back: &CancellationToken,
    ) {
        let (id, processor) = (job.id, job.processor.clone());
        log::info!(
            "job {id}: {processor} starts on upload {} (attempt {})",
            upload.id,
            job.attempts
        );
        let started = Instant::now();
        let running = self.broker.metrics.jobs.running(known_name(&processor));
        let progress = AtomicU64::new(0);
        let renewal = Renewal::new(self.lease);
        // The child is killed when the lease is lost, as when the worker stops.
        let stop = give_back.child_token();
        let renew = || async {
            let fraction = fraction(progress.load(Ordering::Relaxed), &upload);
            attempt::renew(&self.broker, &job, self.lease, fraction).await
        };
        let lost = renewal.lost();
        let work = async {
            tokio::select! {
                end = self.attempt(&job, &upload, &progress, &stop) => end,
                () = lost.cancelled() => None,
            }
        };
        let end = renewal.during(renew, work).await;
        drop(running);
        let Some(end) = end else {
            log::warn!("job {id}: the lease was lost, and the work was dropped");
            self.broker.metrics.jobs.ended(Ended::LeaseLost.as_str());
            return;
        };
        let message = end.message().map(str::to_owned);
        let took = started.elapsed();
        match attempt::end(&self.broker, &job, end).await {
            Ok(ended) => {
                let name = known_name(&processor);
                self.broker.metrics.jobs.took(name, ended.as_str(), took);
                let message = message.map(|message| format!(": {message}"));
                let message = message.unwrap_or_default();
                log::info!(
                    "job {id}: {processor} {} after {took:.1?}{message}",
                    ended.as_str()
                );
            }
            // Another worker takes the job when the lease ends.
            Err(error) => log::warn!("job {id}: its end could not be written: {error}"),
        }
    }
}

/// The trace of the request that completed an upload. Without an answer of Postgres, the job runs
/// without the link.
async fn find_cause(broker: &Broker, upload: Uuid) -> Option<RemoteContext> {
    match find_traceparent(broker, upload).await {
        Ok(context) => RemoteContext::parse(&context?),
        Err(error) => {
            log::debug!("worker: the trace of upload {upload} cannot be read: {error}");
            None
        }
    }
}

/// The fraction of the dataset that was read.
fn fraction(bytes: u64, upload: &Upload) -> Option<f64> {
    let size = upload.object.as_ref()?.size;
    let thousandths = bytes.saturating_mul(1_000).checked_div(size)?;
    let thousandths = u32::try_from(thousandths.min(999)).ok()?;
    Some(f64::from(thousandths) / 1_000.0)
}

/// The name of a processor as a label, of which there is a bounded number.
fn known_name(processor: &str) -> &'static str {
    crate::processors::find(processor).map_or("other", |processor| processor.name)
}
