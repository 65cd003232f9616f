//! The register of running tasks, and what their endings mean.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio_util::task::TaskTracker;

use super::{Failure, Outcome, Shutdown};

/// What a supervised future may return: nothing, or a result whose error says what went wrong.
pub trait Ending: Send {
    /// The fault, told for a log.
    fn fault(self) -> Option<String>;
}

impl Ending for () {
    fn fault(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display + Send> Ending for Result<(), E> {
    fn fault(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lives as long as the process.
    Loop,
    /// Ends by itself.
    Job,
}

/// Everything that was spawned and has not ended.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    next: u64,
    running: Vec<(u64, &'static str)>,
    failures: Vec<Failure>,
}

impl Tasks {
    pub(super) fn close(&self) {
        self.tracker.close();
    }

    /// Comes back when the register is closed and empty.
    pub(super) async fn finished(&self) {
        self.tracker.wait().await;
    }

    pub(super) fn outcome(&self) -> Outcome {
        let book = self.book();
        Outcome {
            failures: book.failures.clone(),
            unfinished: book.running.iter().map(|(_, name)| *name).collect(),
        }
    }

    fn enter(&self, name: &'static str) -> u64 {
        let mut book = self.book();
        let id = book.next;
        book.next = id.wrapping_add(1);
        book.running.push((id, name));
        id
    }

    fn leave(&self, id: u64, failure: Option<Failure>) {
        let mut book = self.book();
        book.running.retain(|(other, _)| *other != id);
        book.failures.extend(failure);
    }

    /// A panic while the book is held leaves it whole: every change is one call.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shutdown {
    pub(super) fn launch<F>(&self, name: &'static str, kind: Kind, future: F)
    where
        F: Future<Output: Ending> + Send + 'static,
    {
        let id = self.tasks.enter(name);
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

    fn ended(&self, id: u64, name: &'static str, kind: Kind, end: Result<impl Ending, Panic>) {
        let fault = match end {
            Err(panic) => Some(format!("panicked: {}", panic_text(&*panic))),
            Ok(end) => end.fault().map(|fault| format!("failed: {fault}")),
        };
        match (kind, fault) {
            (Kind::Job, None) => self.tasks.leave(id, None),
            (Kind::Job, Some(reason)) => {
                log::error!("{name} {reason}");
                self.tasks.leave(id, None);
            }
            (Kind::Loop, None) if self.is_stopping() => self.tasks.leave(id, None),
            (Kind::Loop, fault) => {
                let reason = fault.unwrap_or_else(|| "returned although nobody asked".to_owned());
                let failure = Failure { name, reason };
                log::error!("{failure}; stopping the process");
                self.tasks.leave(id, Some(failure));
                self.stop();
            }
        }
    }
}

type Panic = Box<dyn Any + Send>;

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub(super) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(future));
}
