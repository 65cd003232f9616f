//! Queues of items that wait to be written to Postgres in one statement.
//!
//! This is the data structure alone; [`batching`](crate::usecases::batching) runs the writes. A
//! queue is found by the types of its items and results, and by a key among them, so that the
//! context need not name the use cases that have queues.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::per_key::PerKey;

/// Writes of one queue that run at once at most, however long the earlier ones hang.
const MAX_RUNNING: usize = 8;

/// All queues. A queue exists for as long as a caller holds it.
#[derive(Default)]
pub struct Batches(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Batches {
    /// The queue of items of type `T` that share `key`.
    pub(in crate::usecases) fn queue<K, T, R>(&self, key: &K) -> Arc<Queue<T, R>>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        T: Send + 'static,
        R: Send + 'static,
    {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = TypeId::of::<PerKey<K, Queue<T, R>>>();
        let queues = kinds
            .entry(kind)
            .or_insert_with(|| Arc::new(PerKey::<K, Queue<T, R>>::default()));
        let queues = Arc::clone(queues).downcast::<PerKey<K, Queue<T, R>>>();
        drop(kinds);
        match queues {
            Ok(queues) => queues.get_or_insert_with(key, Queue::default),
            // The entry of a type is of that type: a queue of its own would be right as well.
            Err(_) => Arc::default(),
        }
    }
}

/// Items that wait to be written, and how many writes run.
pub(in crate::usecases) struct Queue<T, R>(Mutex<State<T, R>>);

/// An item, and where its caller waits for the result.
pub(super) type Waiting<T, R> = (T, oneshot::Sender<R>);

struct State<T, R> {
    waiting: Vec<Waiting<T, R>>,
    /// Increases whenever the waiting items are taken.
    generation: u64,
    running: usize,
}

/// What the caller that added an item has to do.
pub(in crate::usecases) enum Role {
    /// Start a write.
    Start,
    /// Start a write after a delay, if the items of this generation still wait then.
    StartLater(u64),
    /// Nothing: another caller starts the write.
    Wait,
}

impl<T, R> Default for Queue<T, R> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: Vec::new(),
            generation: 0,
            running: 0,
        }))
    }
}

impl<T, R> Queue<T, R> {
    /// Adds an item. Writes start at once while fewer than `at_once` of them run.
    pub(in crate::usecases) fn add(&self, item: Waiting<T, R>, at_once: usize) -> Role {
        let mut state = self.state();
        state.waiting.push(item);
        if state.running < at_once {
            state.running += 1;
            Role::Start
        } else if state.waiting.len() == 1 {
            Role::StartLater(state.generation)
        } else {
            Role::Wait
        }
    }

    /// Whether the items of `generation` still wait and another write may run; it is counted as
    /// running then.
    pub(in crate::usecases) fn start_late(&self, generation: u64) -> bool {
        let mut state = self.state();
        let starts = state.generation == generation && state.running < MAX_RUNNING;
        state.running += usize::from(starts);
        starts
    }

    /// Takes all waiting items. `None` ends the write that asks: both in one step, or a caller that
    /// comes in between would take it for running.
    pub(in crate::usecases) fn take(&self) -> Option<Vec<Waiting<T, R>>> {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.running -= 1;
            return None;
        }
        state.generation = state.generation.wrapping_add(1);
        Some(mem::take(&mut state.waiting))
    }

    /// Ends a write that panicked.
    pub(in crate::usecases) fn end_running(&self) {
        self.state().running -= 1;
    }

    /// Each change is one step, so that a panic leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State<T, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
