//! Workers: they claim jobs of the processors that ship with the broker, run them, and write their
//! results.
//!
//! ```text
//!   poll (Postgres) ──┐
//!                     ├─▶ claim ─▶ run_job: read ─▶ bounded child process ─▶ write result ─▶ end
//!   queue (SQS) ──────┘                 └── the lease is renewed meanwhile
//! ```
//!
//! There are two ways in, with the same code behind them. Polling Postgres needs nothing else. With a
//! queue that is subscribed to the topic, a message wakes the worker at once; the row remains the
//! truth, so that a message that is lost, late or delivered twice does no harm.
//!
//! Any number of workers run at the same time. No transaction is open while a job runs. The bytes of
//! a dataset never reach this process as anything but bytes: they are parsed in a child process with
//! limits ([`processors`](crate::processors)).
//!
//! | Fault | What happens |
//! |---|---|
//! | the worker is killed | its lease ends, and another worker starts the job again; after five attempts the job fails |
//! | the worker stops (SIGTERM) | running jobs may finish within the shutdown timeout; then their children are killed, and they are given back without counting |
//! | the worker was paused for longer than its lease | it notices at its next write, and changes nothing |
//! | S3 or Postgres does not answer | the attempt is given back with a back-off, or its lease ends |
//! | the processor refuses the dataset | the job fails, with the reason |
//! | the worker is killed while it writes the pages of a document | nothing reads them, the next attempt writes its own, and the janitor removes them |
//! | the quota of the tenant is used up | the attempt is given back with a back-off; after five attempts the job fails, with the reason |

mod attempt;
mod message;
mod outcome;
mod pages;
mod poll;
mod queue;
mod run_job;
mod textract;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::processors::Processor;
use crate::processors::child::{ChildLimits, Program};
use crate::sqs::queue::Queue;
use crate::textract::Textract;
use crate::usecases::{Broker, jobs};

/// How often the waiting jobs are counted.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);

/// A worker and its dependencies.
pub struct Worker {
    /// The use cases.
    pub broker: Arc<Broker>,
    /// The processors whose jobs are claimed.
    pub processors: Vec<&'static Processor>,
    /// The queue that is subscribed to the topic, if there is one.
    pub queue: Option<Queue>,
    /// Textract, if `pdf-text` uses it.
    pub textract: Option<Textract>,
    /// What the child processes run.
    pub program: Program,
    /// What each child process may use.
    pub limits: ChildLimits,
    /// The length of a lease, which is renewed while the job runs.
    pub lease: Duration,
    /// How often Postgres is asked for due jobs.
    pub poll_interval: Duration,
    /// How long running jobs may go on after a stop.
    pub stop_timeout: Duration,
    /// One permit for each job that may run at the same time.
    pub slots: Arc<Semaphore>,
}

impl Worker {
    /// Runs until `stop`. Running jobs may then finish within the stop timeout; afterwards they are
    /// given back.
    pub async fn run(self, stop: CancellationToken) {
        let worker = Arc::new(self);
        // Cancelled when running jobs have to end.
        let give_back = CancellationToken::new();
        let timeout = async {
            stop.cancelled().await;
            tokio::time::sleep(worker.stop_timeout).await;
            give_back.cancel();
        };
        let work = async {
            tokio::join!(
                worker.poll_until(&stop, &give_back),
                worker.receive_until(&stop, &give_back),
                worker.measure_until(&stop)
            )
        };
        tokio::pin!(work);
        tokio::select! {
            _ = &mut work => {}
            () = timeout => {
                work.await;
            }
        }
    }

    /// Updates the gauges of the jobs that wait.
    async fn measure_until(&self, stop: &CancellationToken) {
        let names: Vec<&'static str> = self.processors.iter().map(|one| one.name).collect();
        while !stop.is_cancelled() {
            if let Err(error) = jobs::measure(&self.broker, &names).await {
                log::debug!("worker: the waiting jobs cannot be counted: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(MEASURE_INTERVAL) => {}
            }
        }
    }
}
