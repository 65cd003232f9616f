//! Workers: which jobs they run, and what each job may use.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::parse::{list, number, seconds, socket_address};
use super::pdf_engine::PdfEngine;
use super::reader::{Reader, Section};
use super::s3_events::QueueUrl;
use super::variables::{
    BROKER_DERIVED_PREFIX, BROKER_WORKER_BIND, BROKER_WORKER_CPU_SECONDS, BROKER_WORKER_JOBS,
    BROKER_WORKER_LEASE_SECONDS, BROKER_WORKER_MEMORY_BYTES, BROKER_WORKER_OUTPUT_BYTES,
    BROKER_WORKER_PROCESSORS, BROKER_WORKER_QUEUE_URL, BROKER_WORKER_SCRATCH,
    BROKER_WORKER_SECONDS, BROKER_WORKER_SPILL_BYTES,
};

const MIB: u64 = 1024 * 1024;
const DAY: u64 = 86_400;
/// The allowed lengths of a lease. A shorter one would end while a worker waits for a connection to
/// Postgres.
const LEASE: std::ops::RangeInclusive<u64> = 5..=3_600;

/// Workers: which jobs they run, and what each job may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The address of the health checks and metrics of the command `worker`.
    pub bind: SocketAddr,
    /// The queue that is subscribed to the topic; without one, workers only ask Postgres.
    pub queue: Option<QueueUrl>,
    /// What extracts the text of documents.
    pub pdf_engine: PdfEngine,
    /// The names of the processors whose jobs are run; `None` for all that ship with the broker.
    pub processors: Option<Vec<String>>,
    /// How many jobs run at the same time.
    pub jobs: usize,
    /// The length of a lease, which is renewed while a job runs.
    pub lease: Duration,
    /// The memory for the data of a job, in bytes.
    pub memory_bytes: u64,
    /// The CPU time of a job, in seconds.
    pub cpu_seconds: u64,
    /// The longest time of a job.
    pub wall: Duration,
    /// The largest result, in bytes.
    pub output_bytes: u64,
    /// The most bytes of a job in temporary files.
    pub spill_bytes: u64,
    /// The folder for temporary files; `None` for that of the system.
    pub scratch: Option<PathBuf>,
    /// Where results are written: a path that starts and ends with a slash.
    pub derived_prefix: String,
}

impl Section for Worker {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bind = reader.value(&BROKER_WORKER_BIND, socket_address);
        let queue = reader.optional(&BROKER_WORKER_QUEUE_URL, QueueUrl::parse);
        let has_queue = queue.as_ref().is_none_or(Option::is_some);
        let pdf_engine = PdfEngine::read(reader, has_queue);
        let names = list(|name| Ok(name.to_owned()));
        let processors = reader.optional(&BROKER_WORKER_PROCESSORS, names);
        let jobs = reader.value(&BROKER_WORKER_JOBS, number(1..=64));
        let lease = reader.value(&BROKER_WORKER_LEASE_SECONDS, seconds(LEASE));
        let memory_bytes = reader.value(
            &BROKER_WORKER_MEMORY_BYTES,
            number(16 * MIB..=1024 * 1024 * MIB),
        );
        let cpu_seconds = reader.value(&BROKER_WORKER_CPU_SECONDS, number(1..=DAY));
        let wall = reader.value(&BROKER_WORKER_SECONDS, seconds(1..=DAY));
        let bytes = 1..=1024 * 1024 * 1024 * MIB;
        let output_bytes = reader.value(&BROKER_WORKER_OUTPUT_BYTES, number(bytes.clone()));
        let spill_bytes = reader.value(&BROKER_WORKER_SPILL_BYTES, number(bytes));
        let scratch = reader.optional(&BROKER_WORKER_SCRATCH, |path| Ok(PathBuf::from(path)));
        let derived_prefix = reader.value(&BROKER_DERIVED_PREFIX, prefix);
        Some(Self {
            bind: bind?,
            queue: queue?,
            pdf_engine: pdf_engine?,
            processors: processors?,
            jobs: jobs?,
            lease: lease?,
            memory_bytes: memory_bytes?,
            cpu_seconds: cpu_seconds?,
            wall: wall?,
            output_bytes: output_bytes?,
            spill_bytes: spill_bytes?,
            scratch: scratch?,
            derived_prefix: derived_prefix?,
        })
    }
}

/// A path prefix such as `/derived/`.
fn prefix(text: &str) -> Result<String, String> {
    let inner = text
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let is_path = inner.is_some_and(|inner| {
        let is_segment = |segment: &str| !["", ".", ".."].contains(&segment) && segment != "action";
        inner.len() <= 512
            && inner.split('/').all(is_segment)
            && !inner.chars().any(char::is_control)
    });
    match is_path {
        true => Ok(text.to_owned()),
        false => Err("must be a folder such as /derived/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_a_folder_of_datasets() {
        assert_eq!(prefix("/a/b/").as_deref(), Ok("/a/b/"));
        for bad in [
            "", "/", "//", "derived/", "/derived", "/a//b/", "/../", "/action/",
        ] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }
}
