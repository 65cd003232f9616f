//! The soft and the hard stop of a process, and the tasks that have to stop.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::outcome::{Failure, Outcome};
use super::supervise::{Kind, OnFailure, Panic, TaskResult, Tasks, detach, panic_text};

/// The time for tasks that are dropped at the hard stop to run their destructors. They need none,
/// unless they block.
const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// Stops the process, and keeps the registry of tasks that have to stop. Cheap to clone; all clones
/// share one state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    pub(super) hard: CancellationToken,
    tasks: Arc<Tasks>,
    on_failure: Arc<OnceLock<OnFailure>>,
}

impl Shutdown {
    /// Creates a shutdown that has not been requested and has no tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes SIGTERM and SIGINT start the soft stop, and a second signal the hard stop. It must be
    /// called inside a tokio runtime, and other signal handlers must be disabled (actix-web:
    /// `disable_signals()`).
    ///
    /// # Errors
    /// If the system rejects the handlers.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (soft, hard) = (self.soft.clone(), self.hard.clone());
        detach(async move {
            // This loop never ends. A third signal, after the hard stop, has no effect.
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

    /// Starts the soft stop. Repeated calls have no effect.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Whether the soft stop has begun.
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Waits until the soft stop has begun. It is cancel-safe.
    pub async fn stopping(&self) {
        self.soft.cancelled().await;
    }

    /// The soft stop as a token. Cancelling it is the same as [`stop`](Self::stop).
    pub fn token(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Spawns a loop that must run as long as the process: a server, the relay, the janitor. It
    /// must return after [`stopping`](Self::stopping) resolves. A panic or an `Err` at any time, or
    /// a return before the soft stop, is a failure that stops the process. It must be called inside
    /// a tokio runtime. `name` is used in logs and in the [`Outcome`].
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output: TaskResult> + Send + 'static,
    {
        self.launch(name, Kind::Loop, future);
    }

    /// Spawns a task that ends by itself, such as one connection. A panic or an `Err` is logged and
    /// does not affect other tasks. [`wait`](Self::wait) gives it time to finish.
    pub fn spawn_job<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output: TaskResult> + Send + 'static,
    {
        self.launch(name, Kind::Job, future);
    }

    /// Calls `observe` for every loop that fails, and for every task that panics, with its name, the
    /// reason, and whether it panicked. Only the first call of this method has an effect.
    pub fn on_failure(&self, observe: impl Fn(&'static str, &str, bool) + Send + Sync + 'static) {
        let _ = self.on_failure.set(OnFailure(Box::new(observe)));
    }

    /// Waits for the soft stop, then at most `timeout` for the spawned tasks. Tasks that have not
    /// stopped by then, or at a second signal, are dropped and named in the outcome.
    pub async fn wait(&self, timeout: Duration) -> Outcome {
        tokio::select! {
            () = self.soft.cancelled() => (),
            () = self.hard.cancelled() => (),
        }
        self.tasks.close();
        tokio::select! {
            () = self.tasks.finished() => (),
            () = self.hard.cancelled() => (),
            () = tokio::time::sleep(timeout) => (),
        }
        let outcome = self.tasks.outcome();
        self.hard.cancel();
        // Destructors may log something, such as the data that is lost with the task.
        let _ = tokio::time::timeout(DROP_TIMEOUT, self.tasks.finished()).await;
        outcome.log(timeout);
        outcome
    }
}

impl Shutdown {
    fn launch<F>(&self, name: &'static str, kind: Kind, future: F)
    where
        F: Future<Output: TaskResult> + Send + 'static,
    {
        let id = self.tasks.add(name);
        let shutdown = self.clone();
        let watched = self.tasks.tracker.track_future(async move {
            let end = tokio::select! {
                end = AssertUnwindSafe(future).catch_unwind() => end,
                () = shutdown.hard.cancelled() => return,
            };
            shutdown.ended(id, name, kind, end);
        });
        detach(watched);
    }

    fn ended(&self, id: u64, name: &'static str, kind: Kind, end: Result<impl TaskResult, Panic>) {
        let is_panic = end.is_err();
        let fault = match end {
            Err(panic) => Some(format!("panicked: {}", panic_text(&*panic))),
            Ok(end) => end.fault().map(|fault| format!("failed: {fault}")),
        };
        match (kind, fault) {
            (Kind::Job, None) => self.tasks.remove(id, None),
            (Kind::Job, Some(reason)) => {
                log::error!("{name} {reason}");
                if is_panic {
                    self.observe_failure(name, &reason, is_panic);
                }
                self.tasks.remove(id, None);
            }
            (Kind::Loop, None) if self.is_stopping() => self.tasks.remove(id, None),
            (Kind::Loop, fault) => {
                let reason = fault.unwrap_or_else(|| "returned before the shutdown".to_owned());
                self.observe_failure(name, &reason, is_panic);
                let failure = Failure { name, reason };
                log::error!("{failure}; stopping the process");
                self.tasks.remove(id, Some(failure));
                self.stop();
            }
        }
    }

    fn observe_failure(&self, name: &'static str, reason: &str, is_panic: bool) {
        if let Some(OnFailure(observe)) = self.on_failure.get() {
            observe(name, reason, is_panic);
        }
    }
}
