//! The outcome of the process.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// A loop that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name that the loop was spawned with.
    pub name: &'static str,
    /// The reason, for a log.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

/// The result of [`Shutdown::wait`](super::Shutdown::wait).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "main returns its exit code"]
pub struct Outcome {
    /// The loops that failed, in the order of their failures.
    pub failures: Vec<Failure>,
    /// The tasks that were dropped because they did not stop in time, oldest first.
    pub unfinished: Vec<&'static str>,
}

impl Outcome {
    /// Whether all tasks ended regularly.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.unfinished.is_empty()
    }

    /// The exit code: 0 if the outcome is clean, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        if self.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub(super) fn log(&self, timeout: Duration) {
        if !self.unfinished.is_empty() {
            let names = self.unfinished.join(", ");
            log::error!("dropped tasks that did not stop (timeout {timeout:?}): {names}");
        }
        if self.is_clean() {
            log::info!("stopped");
        } else {
            log::error!("stopped after a fault");
        }
    }
}
