//! The registry of running tasks, and the consequences of their ends.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::task::TaskTracker;

use super::outcome::{Failure, Outcome};

/// The output of a supervised future: `()`, or a `Result` whose error is the reason of the failure.
pub trait TaskResult: Send {
    /// The reason of the failure, for a log.
    fn fault(self) -> Option<String>;
}

impl TaskResult for () {
    fn fault(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display + Send> TaskResult for Result<(), E> {
    fn fault(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// What is called with the name of a task that failed, the reason, and whether it panicked.
pub(super) struct OnFailure(pub(super) Box<Observe>);

type Observe = dyn Fn(&'static str, &str, bool) + Send + Sync;

impl fmt::Debug for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnFailure").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The task must run as long as the process.
    Loop,
    /// The task ends by itself.
    Job,
}

/// All tasks that were spawned and have not ended.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    pub(super) tracker: TaskTracker,
    registry: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    next: u64,
    running: Vec<(u64, &'static str)>,
    failures: Vec<Failure>,
}

impl Tasks {
    pub(super) fn close(&self) {
        self.tracker.close();
    }

    /// Waits until the registry is closed and empty.
    pub(super) async fn finished(&self) {
        self.tracker.wait().await;
    }

    pub(super) fn outcome(&self) -> Outcome {
        let registry = self.registry();
        Outcome {
            failures: registry.failures.clone(),
            unfinished: registry.running.iter().map(|(_, name)| *name).collect(),
        }
    }

    pub(super) fn add(&self, name: &'static str) -> u64 {
        let mut registry = self.registry();
        let id = registry.next;
        registry.next = id.wrapping_add(1);
        registry.running.push((id, name));
        id
    }

    pub(super) fn remove(&self, id: u64, failure: Option<Failure>) {
        let mut registry = self.registry();
        registry.running.retain(|(other, _)| *other != id);
        registry.failures.extend(failure);
    }

    /// Locks the registry. A poisoned lock can be used, because every change is a single call.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) type Panic = Box<dyn Any + Send>;

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub(super) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(future));
}
