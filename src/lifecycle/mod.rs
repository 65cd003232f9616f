//! Signals, shutdown and supervised loops.
//!
//! A service stops in two steps. The *soft stop* (SIGTERM, SIGINT, [`Shutdown::stop`], or a loop
//! that died) asks everything to finish what it is doing. The *hard stop* (a second signal, or
//! the bound of [`Shutdown::wait`]) drops what still runs. On a fault nothing stays half alive:
//! a loop that panics or returns early starts the soft stop, and the outcome is a non-zero exit
//! code, which is returned to `main` so that destructors run.
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
mod supervise;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use hangup::Hangups;
pub use outcome::{Failure, Outcome};
pub use runtime::run;
pub use supervise::Ending;

/// How long what is dropped at the hard stop may take for that. It takes no time, unless it blocks.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The switch that stops the process, and the register of what has to stop. Cheap to clone; all
/// clones are one switch.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: Arc<supervise::Tasks>,
}

impl Shutdown {
    /// A switch that nobody has pulled and that knows no loops yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on SIGTERM and SIGINT start the soft stop, and a second one the hard stop. Call
    /// it inside a tokio runtime, and switch off the signal handling of others (actix-web:
    /// `disable_signals()`).
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (soft, hard) = (self.soft.clone(), self.hard.clone());
        supervise::detach(async move {
            // Loops for ever: a third signal, after a hard stop, finds nothing left to do.
            loop {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                if soft.is_cancelled() {
                    hard.cancel();
                    log::warn!("{name} while stopping: stopping at once");
                } else {
                    soft.cancel();
                    log::info!("{name}: stopping; send it again to stop at once");
                }
            }
        });
        Ok(())
    }

    /// Starts the soft stop. Again, or late, changes nothing.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Whether the soft stop has begun.
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Comes back when the soft stop begins (at once when it has). Safe in `select!`.
    pub async fn stopping(&self) {
        self.soft.cancelled().await;
    }

    /// The soft stop as a token, for code that takes one. Cancelling it is [`stop`](Self::stop).
    pub fn token(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Runs a loop that has to live as long as the process: a server, the relay, the janitor. It
    /// watches [`stopping`](Self::stopping) and then returns. A panic or an `Err` at any time,
    /// or a return before the soft stop, is a failure that stops the process. Needs a tokio
    /// runtime; `name` is for people, in logs and in the [`Outcome`].
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output: Ending> + Send + 'static,
    {
        self.launch(name, supervise::Kind::Loop, future);
    }

    /// Runs work that ends by itself, such as one connection. A panic or an `Err` is logged and
    /// harms nobody else; [`wait`](Self::wait) gives it time to finish.
    pub fn spawn_job<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output: Ending> + Send + 'static,
    {
        self.launch(name, supervise::Kind::Job, future);
    }

    /// Waits for the soft stop, then for what was spawned, at most `bound` long. What has not
    /// stopped by then, or at a second signal, is dropped and named in the outcome.
    pub async fn wait(&self, bound: Duration) -> Outcome {
        tokio::select! {
            () = self.soft.cancelled() => (),
            () = self.hard.cancelled() => (),
        }
        self.tasks.close();
        tokio::select! {
            () = self.tasks.finished() => (),
            () = self.hard.cancelled() => (),
            () = tokio::time::sleep(bound) => (),
        }
        let outcome = self.tasks.outcome();
        self.hard.cancel();
        // What is dropped may have something to say, such as what is lost with it.
        let _ = tokio::time::timeout(LAST_WORDS, self.tasks.finished()).await;
        outcome.log(bound);
        outcome
    }
}
