//! Work that outlives the request that started it.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::completions::Completions;
use crate::telemetry;
use crate::telemetry::trace::{self, with_scope};
use crate::usecases::error::{Error, Result};

/// How many derived datasets all cascading deletes check or delete at once.
const CONCURRENT_DERIVED_DELETES: usize = 16;

/// The tasks under way, and what bounds them. A stop of the process waits for them.
pub struct Tasks {
    /// The process's own runtime: the threads of the HTTP server end before the tasks do.
    runtime: Handle,
    /// Every task.
    pub all: TaskTracker,
    /// The use cases among them, one for each caller, also of callers that have disconnected.
    pub use_cases: TaskTracker,
    /// Completions of multipart uploads under way.
    pub completions: Completions,
    /// Permits for copies that run at once.
    pub copies: Arc<Semaphore>,
    /// Permits for checking or deleting one derived dataset, of all cascading deletes together.
    pub derived_deletes: Semaphore,
}

impl Tasks {
    /// Tasks on the current runtime, of which at most `copies` copy an object.
    pub fn new(copies: usize) -> Self {
        Self {
            runtime: Handle::current(),
            all: TaskTracker::new(),
            use_cases: TaskTracker::new(),
            completions: Completions::default(),
            copies: Arc::new(Semaphore::new(copies)),
            derived_deletes: Semaphore::new(CONCURRENT_DERIVED_DELETES),
        }
    }

    /// Runs a use case to its end, even if the caller stops waiting for it: a dropped future would
    /// leave a transaction open on a pooled connection.
    pub async fn run_to_end<T: Send + 'static>(
        &self,
        use_case: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let counted = self.use_cases.token();
        let use_case = async move {
            let _counted = counted;
            use_case.await
        };
        // The task does not inherit the id of the request and its trace; its log lines shall carry
        // them all the same.
        let use_case = with_scope(trace::scope(), use_case);
        let task = match telemetry::log::request_id() {
            Some(id) => self.spawn(telemetry::log::with_request_id(id, use_case)),
            None => self.spawn(use_case),
        };
        task.await
            .unwrap_or_else(|died| Err(Error::Internal(died.into())))
    }

    /// Whether the process stops, and waits for its tasks: long work should end early.
    pub(in crate::usecases) fn are_stopping(&self) -> bool {
        self.all.is_closed()
    }

    /// Runs `work` on the process's own runtime.
    pub(in crate::usecases) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.all.spawn_on(work, &self.runtime)
    }
}
