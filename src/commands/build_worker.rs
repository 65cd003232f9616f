//! Builds the worker of a process.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::assemble_error::AssembleError;
use super::cloud::Cloud;
use super::programs;
use crate::config::{self, PdfEngine, Role, Settings};
use crate::processors::child::{ChildLimits, Program};
use crate::processors::{self, Processor};
use crate::sqs::queue::{Purpose, Queue};
use crate::sqs::timing::QueueTiming;
use crate::telemetry::metrics::Metrics;
use crate::textract::{NotificationChannel, Textract};
use crate::usecases::Broker;
use crate::worker::Worker;

/// How often Postgres is asked for jobs if nothing else wakes the worker.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The same with a queue. Jobs that have to wait before their next attempt are only found so.
const POLL_INTERVAL_WITH_QUEUE: Duration = Duration::from_secs(10);

/// Builds the worker of a process that has this role.
///
/// # Errors
/// A processor of the settings does not exist or lacks a program, or this program cannot start
/// itself again.
pub(super) fn build(
    settings: &Settings,
    cloud: &Cloud,
    broker: &Arc<Broker>,
) -> Result<Option<Worker>, AssembleError> {
    if !settings.roles.has(Role::Worker) {
        return Ok(None);
    }
    let worker = &settings.worker;
    let metrics = Arc::clone(&broker.metrics);
    let queue = worker.queue.as_ref().map(|url| {
        let timing = QueueTiming::default();
        Queue::new(
            &cloud.worker_sqs,
            url.as_str(),
            Purpose::Jobs,
            timing,
            metrics,
        )
    });
    let scratch = worker.scratch.clone().unwrap_or_else(std::env::temp_dir);
    if !scratch.is_dir() {
        let fault = format!(
            "the folder {} does not exist (BROKER_WORKER_SCRATCH)",
            scratch.display()
        );
        return Err(AssembleError::Worker(io::Error::other(fault)));
    }
    Ok(Some(Worker {
        broker: Arc::clone(broker),
        processors: selected(worker)?,
        poll_interval: match queue {
            Some(_) => POLL_INTERVAL_WITH_QUEUE,
            None => POLL_INTERVAL,
        },
        queue,
        textract: textract(settings, cloud, &broker.metrics),
        program: Program::this()
            .map_err(AssembleError::Worker)?
            .with_search_path(programs::search_path()),
        limits: ChildLimits {
            memory_bytes: worker.memory_bytes,
            cpu_seconds: worker.cpu_seconds,
            wall: worker.wall,
            output_bytes: worker.output_bytes,
            spill_bytes: worker.spill_bytes,
            scratch,
        },
        lease: worker.lease,
        // What remains is for giving back what did not finish.
        stop_timeout: settings.http.shutdown / 2,
        slots: Arc::new(Semaphore::new(worker.jobs)),
    }))
}

/// Textract, if `pdf-text` uses it.
pub(super) fn textract(
    settings: &Settings,
    cloud: &Cloud,
    metrics: &Arc<Metrics>,
) -> Option<Textract> {
    let PdfEngine::Textract(channel) = &settings.worker.pdf_engine else {
        return None;
    };
    let channel = channel.as_ref().map(|channel| NotificationChannel {
        topic: channel.topic.as_str().to_owned(),
        role: channel.role.clone(),
    });
    Some(Textract::new(&cloud.textract, channel, Arc::clone(metrics)))
}

fn selected(worker: &config::Worker) -> Result<Vec<&'static Processor>, AssembleError> {
    let engine = &worker.pdf_engine;
    let Some(names) = &worker.processors else {
        let runnable = processors::SHIPPED
            .iter()
            .filter(|one| can_run(one, engine));
        return Ok(runnable.collect());
    };
    (names.iter())
        .map(|name| {
            let unknown = || AssembleError::UnknownProcessor(name.clone());
            let processor = processors::find(name).ok_or_else(unknown)?;
            match programs::missing(name, engine).first() {
                None => Ok(processor),
                Some(program) => Err(AssembleError::MissingProgram(name.clone(), program)),
            }
        })
        .collect()
}

/// Whether this machine has the programs of a processor. Its jobs are left to other workers if not.
fn can_run(processor: &Processor, engine: &PdfEngine) -> bool {
    let (name, missing) = (processor.name, programs::missing(processor.name, engine));
    if !missing.is_empty() {
        let (missing, advice) = (missing.join(" and "), programs::ADVICE);
        log::warn!(
            "worker: jobs of {name} are left to other workers: PATH has no {missing}; {advice}"
        );
    }
    missing.is_empty()
}
