//! How the process ended.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// A loop that died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name that the loop was spawned with.
    pub name: &'static str,
    /// What happened, for a log.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

/// What [`Shutdown::wait`](super::Shutdown::wait) saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "main returns its exit code"]
pub struct Outcome {
    /// The loops that died, in the order in which they did.
    pub failures: Vec<Failure>,
    /// What had to be dropped because it did not stop in time, oldest first.
    pub unfinished: Vec<&'static str>,
}

impl Outcome {
    /// Whether everything ended as it should.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.unfinished.is_empty()
    }

    /// 0 when clean, else 1.
    pub fn exit_code(&self) -> ExitCode {
        if self.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub(super) fn log(&self, bound: Duration) {
        if !self.unfinished.is_empty() {
            let names = self.unfinished.join(", ");
            log::error!("dropped what did not stop (bound {bound:?}): {names}");
        }
        if self.is_clean() {
            log::info!("stopped");
        } else {
            log::error!("stopped after a fault");
        }
    }
}
