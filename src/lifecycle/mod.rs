//! Signals, shutdown and supervised loops.
//!
//! A service stops in two steps. The *soft stop* (SIGTERM, SIGINT, [`Shutdown::stop`], or a loop
//! that failed) asks all tasks to finish their current work. The *hard stop* (a second signal, or
//! the timeout of [`Shutdown::wait`]) drops the tasks that still run. A fault never leaves a part
//! of the process running: a loop that panics or returns early starts the soft stop, and the
//! outcome is a non-zero exit code, which is returned to `main` so that destructors run.
//!
//! ```no_run
//! # use std::{process::ExitCode, time::Duration};
//! # use upload_broker::lifecycle::{self, Shutdown};
//! fn main() -> ExitCode {
//!     lifecycle::run(async {
//!         let shutdown = Shutdown::new();
//!         if shutdown.on_signals().is_err() {
//!             return ExitCode::FAILURE;
//!         }
//!         let stop = shutdown.clone();
//!         shutdown.spawn("tick", async move { stop.stopping().await });
//!         shutdown.wait(Duration::from_secs(25)).await.exit_code()
//!     })
//! }
//! ```

pub mod backoff;
mod hangup;
mod outcome;
pub mod renewal;
mod runtime;
mod shutdown;
mod supervise;
#[cfg(test)]
mod tests;

pub use hangup::Hangups;
pub use outcome::{Failure, Outcome};
pub use runtime::run;
pub use shutdown::Shutdown;
pub use supervise::TaskResult;
