//! Batching: what many callers write at once goes to Postgres in one statement.
//!
//! A lone caller never waits: its write starts at once. While writes run, further callers queue up;
//! the next write takes all of them, and starts when one ends, or after a short delay
//! ([`Batching::max_delay`]). So batches grow with the load, and no caller waits longer for others.
//!
//! Callers that may have to wait for a lock in Postgres have a queue for each such lock, found by
//! [`Batched::key`]: callers that do not need the lock get their results meanwhile.
//!
//! | fault | effect |
//! |---|---|
//! | the table refuses one item | that caller alone gets an error |
//! | the connection ends | all callers of the batch get an error and may try again |
//! | the caller disconnects | its item is written all the same |
//! | the process ends | Postgres has all of a statement, or nothing of it |

use std::hash::Hash;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::telemetry::trace::{self, Scope, SpanKind, with_scope};
use crate::usecases::context::{Broker, Queue, Role};
use crate::usecases::error::{Error, Result};

/// How items are batched.
#[derive(Clone, Copy, Debug)]
pub(in crate::usecases) struct Batching {
    /// The name in the metrics.
    pub(in crate::usecases) name: &'static str,
    /// Writes that run at once before callers queue up.
    pub(in crate::usecases) at_once: usize,
    /// How long the first item of a batch waits for the writes that run.
    pub(in crate::usecases) max_delay: Duration,
}

impl Batching {
    /// For writes that wait for no lock. Two at once: Postgres works on one while the other one
    /// commits.
    pub(in crate::usecases) const fn fast(name: &'static str) -> Self {
        Self {
            name,
            at_once: 2,
            max_delay: Duration::from_millis(1),
        }
    }

    /// For writes that wait for the same lock: more of them at once would only wait in Postgres,
    /// each for fewer callers. The delay is longer than such a write takes, and short for a caller
    /// whose batch does not need the lock that an earlier one waits for.
    pub(in crate::usecases) const fn serial(name: &'static str) -> Self {
        Self {
            name,
            at_once: 1,
            max_delay: Duration::from_millis(20),
        }
    }
}

/// An item that is written together with others of the same key.
pub(in crate::usecases) trait Batched: Sized + Send + 'static {
    /// What may be written in one statement.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// The result for one caller.
    type Output: Send + 'static;

    /// The key of this item.
    fn key(&self) -> Self::Key;

    /// How items of this key are batched.
    fn batching(key: &Self::Key) -> Batching;

    /// Writes items of one key; the results are in their order.
    fn write(
        broker: &Broker,
        key: Self::Key,
        items: Vec<Self>,
    ) -> impl Future<Output = Vec<Self::Output>> + Send;
}

/// An item, and the span of its caller.
struct Scoped<T> {
    item: T,
    scope: Option<Scope>,
}

impl Broker {
    /// Writes `item` together with the items of other callers.
    pub(in crate::usecases) async fn write_batched<T: Batched>(
        self: &Arc<Self>,
        item: T,
    ) -> Result<T::Output> {
        let key = item.key();
        let batching = T::batching(&key);
        let (sender, result) = oneshot::channel();
        let queue: Arc<Queue<Scoped<T>, T::Output>> = self.batches.queue(&key);
        let this = Arc::clone(self);
        // It includes the time that the item waits.
        let mut span = trace::internal_span("batched write");
        span.set("upload_broker.batch", batching.name);
        let scope = span.scope();
        match queue.add((Scoped { item, scope }, sender), batching.at_once) {
            Role::Start => {
                self.tasks.spawn(this.write_queue(key, queue));
            }
            Role::StartLater(generation) => {
                self.tasks.spawn(async move {
                    tokio::time::sleep(batching.max_delay).await;
                    if queue.start_late(generation) {
                        this.write_queue(key, queue).await;
                    }
                });
            }
            Role::Wait => {}
        }
        result.await.map_err(|died| Error::Internal(died.into()))
    }

    /// Writes batch after batch until no item waits. The caller has counted this write as running.
    async fn write_queue<T: Batched>(
        self: Arc<Self>,
        key: T::Key,
        queue: Arc<Queue<Scoped<T>, T::Output>>,
    ) {
        let guard = EndOnPanic(&queue);
        let name = T::batching(&key).name;
        while let Some(waiting) = queue.take() {
            let (items, senders): (Vec<Scoped<T>>, Vec<_>) = waiting.into_iter().unzip();
            self.metrics.batches.written(name, items.len());
            let scopes = items.iter().filter_map(|one| one.scope.as_ref());
            let mut span = trace::linked_span("write batch", SpanKind::Internal, scopes);
            span.set_number("upload_broker.batch.items", items.len());
            let items = items.into_iter().map(|one| one.item).collect();
            let results = T::write(&self, key.clone(), items);
            let results = with_scope(span.own_scope(), results).await;
            drop(span);
            for (sender, result) in senders.into_iter().zip(results) {
                // The receiver is gone where the caller has disconnected.
                let _ = sender.send(result);
            }
        }
        mem::forget(guard);
    }
}

/// A write that panics does not run any more.
struct EndOnPanic<'a, T, R>(&'a Queue<T, R>);

impl<T, R> Drop for EndOnPanic<'_, T, R> {
    fn drop(&mut self) {
        self.0.end_running();
    }
}
