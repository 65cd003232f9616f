//! The work of the bounded process: one processor, from standard input to standard output.
//!
//! | Fault | What the parent sees |
//! |---|---|
//! | the processor refuses its input | exit code 1, a failure on standard error |
//! | the processor panics | the same, with the code `crashed` and the place in the source |
//! | a limit of the system is reached | the end by a signal (see [`self_limits`]) |
//! | standard input or output breaks | exit code 1, a failure that is not permanent |
//!
//! Data of the caller is never written to standard error: a panic is reported by its place only.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::processor::{Failure, Processor};
use super::report::{self, Done};
use super::self_limits;

/// The code of a processor that panicked or ended without a report.
pub(super) const CRASHED: &str = "crashed";
/// The code of outputs that are too large.
pub(super) const OUTPUT_LIMIT: &str = "output-limit";

/// What the bounded process has to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// The processor.
    pub processor: &'static Processor,
    /// Its options.
    pub options: Value,
    /// What it may use.
    pub limits: Limits,
    /// The CPU time in seconds.
    pub cpu_seconds: u64,
    /// Whether standard input has framed inputs (see [`inputs`](super::inputs)).
    pub is_framed: bool,
    /// The process that waits for this one; `None` if a person has started it.
    pub parent: Option<u32>,
}

/// Sets the limits, runs the processor, and reports its outcome on standard error.
///
/// It must be called before the process has started a thread or opened a file.
pub fn execute(request: &Request) -> ExitCode {
    let outcome = self_limits::apply(&request.limits, request.cpu_seconds, request.parent)
        .map_err(|error| Failure::temporary("limits", format!("no limits: {error}")))
        .and_then(|()| run_on_standard_streams(request));
    let too_large = || {
        let failure = Failure::permanent("report-limit", "the report is larger than 1 MiB");
        report::to_line(&Err(failure)).unwrap_or_default()
    };
    let line = report::to_line(&outcome);
    let is_reported = line.is_some();
    let mut line = line.unwrap_or_else(too_large);
    line.push('\n');
    let written = io::stderr().write_all(line.as_bytes());
    match outcome.is_ok() && is_reported && written.is_ok() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn run_on_standard_streams(request: &Request) -> Result<Done, Failure> {
    // The handles of the standard library have buffers that are too small, and standard output is
    // flushed after each line.
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let broken = |error: io::Error| Failure::temporary("streams", error.to_string());
    let source = file(stdin.as_fd()).map_err(broken)?;
    let output = file(stdout.as_fd()).map_err(broken)?;
    let inputs = match request.is_framed {
        true => Inputs::framed(source),
        false => Inputs::whole(source),
    };
    run(request, inputs, output)
}

fn file(stream: BorrowedFd<'_>) -> io::Result<File> {
    stream.try_clone_to_owned().map(File::from)
}

/// Runs the processor from `inputs` to `output`.
fn run(request: &Request, inputs: Inputs, output: impl Write) -> Result<Done, Failure> {
    let mut outputs = Outputs::new(output, &request.limits);
    let outcome = catch_panic(|| {
        let run = request.processor.run;
        let report = run(&request.options, inputs, &mut outputs, &request.limits)?;
        let written = outputs.finish();
        let written = written.map_err(|error| Failure::temporary("output", error.to_string()))?;
        Ok(Done { report, written })
    });
    if outputs.is_exceeded() {
        let limit = request.limits.output_bytes;
        let message = format!("the outputs are larger than the limit of {limit} bytes");
        return Err(Failure::permanent(OUTPUT_LIMIT, message));
    }
    outcome
}

/// Runs `work`, and turns a panic into a failure with its place in the source.
fn catch_panic<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let place = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&place);
    panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(ToString::to_string);
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = location;
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    drop(panic::take_hook());
    outcome.unwrap_or_else(|_| {
        let place = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        let place = place.map_or_else(String::new, |place| format!(" at {place}"));
        let message = format!("the processor ended unexpectedly{place}");
        Err(Failure::permanent(CRASHED, message))
    })
}
