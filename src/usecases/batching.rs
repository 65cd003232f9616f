//! Group: what many callers write at once goes to Postgres in one statement.
//!
//! A lone caller never waits: its write starts at once. While writes are under way, whoever comes
//! gathers; the next write takes all of them, and starts when one ends, or after a short while
//! ([`Grouped::PATIENCE`]). So the groups grow with the load, and nobody waits longer for others.
//!
//! Callers that may have to wait for something in Postgres have a group for each such thing, see
//! [`Groups`]: whoever does not wait for it gets its answer meanwhile.
//!
//! A group shares its fate only where it must. What the table refuses of one caller fails that one
//! alone; a connection that dies fails all, who may try again. A caller that hangs up does not
//! take its write back.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::keyed::Keyed;

/// Writes under way at most, however long the ones before hang.
const AT_MOST: usize = 8;
/// What writes that wait for each other in Postgres have in place of two at once and a millisecond:
/// more of them would only wait there, each for fewer callers. It is more than one takes, and little
/// for whoever has nothing to do with the one that hangs.
pub(in crate::usecases) const ONE_BY_ONE: (usize, Duration) = (1, Duration::from_millis(20));

/// Something that many callers write at once.
pub trait Grouped: Sized + Send + 'static {
    /// What each caller hears.
    type Answer: Send + 'static;

    /// Its name in the metrics.
    const NAME: &'static str;

    /// Writes under way before callers gather. Two: Postgres works on one while the other commits.
    const AT_ONCE: usize = 2;

    /// How long the first of a group waits for the ones before.
    const PATIENCE: Duration = Duration::from_millis(1);

    /// Where the callers gather that may share a statement with this one.
    fn group(&self, broker: &Broker) -> Arc<Group<Self>>;

    /// Writes them together; the answers are in the order of the members.
    fn write(broker: &Broker, members: Vec<Self>)
    -> impl Future<Output = Vec<Self::Answer>> + Send;
}

/// Where callers gather.
pub struct Group<T: Grouped>(Mutex<State<T>>);

/// One group for each key, as long as somebody is in it.
pub type Groups<K, T> = Keyed<K, Group<T>>;

struct State<T: Grouped> {
    waiting: Vec<Member<T>>,
    /// Changes whenever the waiting ones are taken.
    turn: u64,
    running: usize,
}

type Member<T> = (T, oneshot::Sender<<T as Grouped>::Answer>);

/// What a caller has to do for its group.
enum Role {
    /// Start the write.
    Start,
    /// See to it that the write starts in time, if this is still the turn.
    Watch(u64),
    /// Nothing: another one does.
    Wait,
}

impl<T: Grouped> Default for Group<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: Vec::new(),
            turn: 0,
            running: 0,
        }))
    }
}

impl<T: Grouped> Group<T> {
    fn join(&self, member: Member<T>) -> Role {
        let mut state = self.state();
        state.waiting.push(member);
        if state.running < T::AT_ONCE {
            state.running += 1;
            Role::Start
        } else if state.waiting.len() == 1 {
            Role::Watch(state.turn)
        } else {
            Role::Wait
        }
    }

    /// Whether the ones of `turn` still wait, and may be written now.
    fn is_late(&self, turn: u64) -> bool {
        let mut state = self.state();
        let late = state.turn == turn && state.running < AT_MOST;
        state.running += usize::from(late);
        late
    }

    /// Everybody who waits. Where nobody does, the write that asks is over: both in one step, or
    /// a lone caller in between would take it for running.
    fn take(&self) -> Option<Vec<Member<T>>> {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.running -= 1;
            return None;
        }
        state.turn = state.turn.wrapping_add(1);
        Some(mem::take(&mut state.waiting))
    }

    /// Every change is one short step, so that a panic leaves it whole.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write that panicked does not run any more.
struct Panicked<'a, T: Grouped>(&'a Group<T>);

impl<T: Grouped> Drop for Panicked<'_, T> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
    }
}

impl Broker {
    /// Writes `item` together with what others write at this moment.
    pub(in crate::usecases) async fn together<T: Grouped>(
        self: &Arc<Self>,
        item: T,
    ) -> Result<T::Answer> {
        let (tell, told) = oneshot::channel();
        let group = item.group(self);
        let this = Arc::clone(self);
        match group.join((item, tell)) {
            Role::Start => {
                self.spawn(this.write_groups(group));
            }
            Role::Watch(turn) => {
                self.spawn(async move {
                    tokio::time::sleep(T::PATIENCE).await;
                    if group.is_late(turn) {
                        this.write_groups(group).await;
                    }
                });
            }
            Role::Wait => {}
        }
        told.await.map_err(|died| Error::Internal(died.into()))
    }

    /// Writes group after group until nobody waits. The caller has counted it as running.
    async fn write_groups<T: Grouped>(self: Arc<Self>, group: Arc<Group<T>>) {
        let panicked = Panicked(&group);
        while let Some(members) = group.take() {
            let (items, tell): (Vec<T>, Vec<_>) = members.into_iter().unzip();
            self.metrics.batches.written(T::NAME, items.len());
            let answers = T::write(&self, items).await;
            for (tell, answer) in tell.into_iter().zip(answers) {
                // A caller that hung up does not want to know.
                let _ = tell.send(answer);
            }
        }
        mem::forget(panicked);
    }
}
