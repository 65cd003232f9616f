//! Runs a processor in a bounded process, from the side of the broker.
//!
//! The program starts itself again with the hidden command `process`. The child gets no environment
//! variable of the broker, and so no credential; it inherits no file but its three standard
//! streams. Inputs are written to its standard input as fast as it reads. Its standard output is a
//! temporary file that has no name, so nothing remains of it, however either process ends. It is
//! taken apart when the child has ended.
//!
//! | Fault | What happens |
//! |---|---|
//! | the child exceeds its memory, CPU time or output | the kernel ends it: a permanent failure that names the limit |
//! | the child takes too long | it is killed: `time-limit`, permanent unless it mostly waited for input |
//! | the child crashes, or ends without a report | `crashed`, permanent |
//! | the child reports outputs that it has not written, or of a type that its processor does not have | `crashed`, permanent |
//! | the child is killed from outside, as by the kernel for lack of memory | `killed`, not permanent |
//! | an input cannot be read | the child is killed: [`ChildError::Input`] with the cause |
//! | the worker stops | the child is killed: [`ChildError::Stopped`] |
//! | the future is dropped | the child is killed |
//! | this process ends, even by `kill -9` | the kernel kills the child (Linux) |

mod end;
mod feed;
mod launch;
mod program;
mod results;
mod tail;
mod task;

use std::future::Future;
use std::io;
use std::process::ExitStatus;

use serde_json::Value;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

pub use program::Program;
pub use results::{LocalFile, ResultFile};
pub use task::{ChildLimits, Input, Task};

use super::processor::Failure;
use end::{Ended, Gone};
use feed::Feeding;

/// What a child has done.
#[derive(Debug)]
pub struct Finished {
    /// The results, in the order in which they were written.
    pub results: Vec<ResultFile>,
    /// The records as lines of JSON, if there are any.
    pub records: Option<LocalFile>,
    /// What the processor reports about its work.
    pub report: Value,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The processor refused its input, or the child ended in another way. The failure can be shown
    /// to the owner of the dataset.
    #[error("the processor failed: {} ({})", .0.message, .0.code)]
    Failed(Failure),
    /// An input could not be read. The cause is that of the stream.
    #[error("an input of the processor cannot be read")]
    Input(#[source] io::Error),
    /// The child could not be started, or a temporary file not be used.
    #[error("the process for the processor cannot be started")]
    Start(#[source] io::Error),
    /// The worker stops.
    #[error("the processor was stopped")]
    Stopped,
}

impl ChildError {
    /// Whether the same task would fail again. What an input's cause means for that, the caller
    /// has to decide; here it counts as temporary.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_permanent)
    }
}

/// Runs a task to its end, in a child that is started from `program`.
///
/// It ends early when `stop` is cancelled. If the future is dropped, the child is killed.
///
/// # Errors
/// There is no result; see [`ChildError`]. Nothing of a partial result remains.
pub async fn run(
    program: &Program,
    task: Task<'_>,
    stop: &CancellationToken,
) -> Result<Finished, ChildError> {
    let limits = task.limits;
    let launched = launch::launch(program.command(&task), limits.scratch.clone());
    let (mut child, file) = launched.await.map_err(ChildError::Start)?;
    let feeding = Feeding::new(task.progress);
    let ended = {
        let feed = feeding.feed(child.stdin.take(), task.inputs);
        let errors = tail::read(child.stderr.take());
        let work = async { tokio::join!(supervise(&mut child, feed), errors) };
        tokio::select! {
            biased;
            ended = tokio::time::timeout(limits.wall, work) => ended,
            () = stop.cancelled() => return Err(ChildError::Stopped),
        }
    };
    let Ok((status, errors)) = ended else {
        return Err(ChildError::Failed(end::time_limit(
            limits.wall,
            feeding.waited(),
        )));
    };
    let gone = Gone {
        status: status?,
        errors,
        size: file.metadata().map_err(ChildError::Start)?.len(),
    };
    let done = match gone.ended(limits) {
        Ended::Done(done) => done,
        Ended::Failed(failure) => return Err(ChildError::Failed(failure)),
    };
    let stated = results::check_written(task.processor, &done.written, gone.size);
    let stated = stated.map_err(ChildError::Failed)?;
    let split = results::split_into_files(
        file,
        stated,
        done.written.records_size,
        limits.scratch.clone(),
    );
    let (results, records) = split.await.map_err(ChildError::Start)?;
    Ok(Finished {
        results,
        records,
        report: done.report,
    })
}

/// Waits for the end of the child while it is fed. A child that ends early is not fed any longer;
/// a child whose input cannot be read is killed.
async fn supervise(
    child: &mut Child,
    feed: impl Future<Output = io::Result<()>>,
) -> Result<ExitStatus, ChildError> {
    tokio::select! {
        biased;
        fed = feed => if let Err(error) = fed {
            // It has ended already if this fails.
            let _ = child.start_kill();
            return Err(ChildError::Input(error));
        },
        status = child.wait() => return status.map_err(ChildError::Start),
    }
    child.wait().await.map_err(ChildError::Start)
}
