//! Rows on their way to Postgres.
//!
//! Bounded, whoever asks for what. What was done stands in a queue; while that is full, the oldest
//! rows are kept and new ones are lost, counted, and told by one row at the place of the gap: how
//! an incident began is worth more than how it went on. Refusals are beside it, so that they cannot
//! push out actions: the same one from the same caller is one row with a count, and past a number of
//! different ones the rest share a row.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::{ContextV7, Uuid};

use super::audit_entry::audit_entry;
use crate::domain::audit::{Action, ActionDetails, Actor, Entry, Origin};
use crate::telemetry::metrics::Metrics;

/// Rows of actions that wait at most.
const ROOM: usize = 32_768;
/// Different refusals that wait at most.
const DIFFERENT: usize = 256;

/// What was done, on its way to Postgres.
#[derive(Debug)]
pub struct AuditQueue {
    state: Mutex<State>,
    came: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    actions: VecDeque<Entry>,
    folded: HashMap<Fold, Entry>,
    /// The gap at the end of `actions`.
    lost: Option<Entry>,
    /// Rows sort as they were noted.
    ids: ContextV7,
}

/// What makes two refusals the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fold {
    action: Action,
    code: Option<&'static str>,
    actor: Cow<'static, str>,
    tenant: Option<String>,
    address: Option<IpAddr>,
    operation: Option<String>,
    /// What they reached for. Whoever nobody knows may reach for anything.
    reached: Option<(Option<Uuid>, Option<String>)>,
}

impl AuditQueue {
    /// An empty one.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            state: Mutex::default(),
            came: Notify::new(),
            metrics,
        }
    }

    /// Notes what was done, by whom and when, and by which `operation` where it matters. Never
    /// waits.
    pub fn record(
        &self,
        at: DateTime<Utc>,
        origin: Origin,
        operation: Option<String>,
        details: ActionDetails,
    ) {
        let lost = {
            let mut state = self.state();
            let entry = audit_entry(&state.ids, at, origin, operation, details);
            state.add(entry)
        };
        if let Some(first) = lost {
            self.metrics.audit.lost(1);
            if first {
                log::warn!("audit: there is no room for more rows: new ones are lost");
            }
        }
        self.came.notify_one();
    }

    /// Comes back when something was noted since the last time.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// The oldest `most` rows or fewer; with the last of them, all refusals.
    pub fn take(&self, most: usize) -> Vec<Entry> {
        self.state().take(most)
    }

    /// How many rows wait.
    pub fn waiting(&self) -> usize {
        let state = self.state();
        state.actions.len() + state.folded.len()
    }

    /// Every change is one short step, so that a panic leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `Some` where the row is lost; true for the first of a gap.
    fn add(&mut self, entry: Entry) -> Option<bool> {
        if entry.details.action.is_folded() {
            self.fold(entry);
            return None;
        }
        if let Some(lost) = &mut self.lost {
            lost.count = lost.count.saturating_add(1);
            return Some(false);
        }
        if self.actions.len() < ROOM {
            self.actions.push_back(entry);
            return None;
        }
        self.lost = Some(Entry {
            origin: Actor::Broker.into(),
            operation: None,
            details: ActionDetails::new(Action::AuditLost),
            ..entry
        });
        Some(true)
    }

    fn fold(&mut self, entry: Entry) {
        let fold = Fold::of(&entry);
        if let Some(same) = self.folded.get_mut(&fold) {
            same.count = same.count.saturating_add(1);
            return;
        }
        if self.folded.len() < DIFFERENT {
            self.folded.insert(fold, entry);
            return;
        }
        let rest = Entry {
            origin: Actor::Many.into(),
            operation: None,
            details: ActionDetails {
                code: entry.details.code,
                ..ActionDetails::new(entry.details.action)
            },
            ..entry
        };
        self.folded
            .entry(Fold::of(&rest))
            .and_modify(|rest| rest.count = rest.count.saturating_add(1))
            .or_insert(rest);
    }

    fn take(&mut self, most: usize) -> Vec<Entry> {
        let actions = self.actions.len().min(most);
        let mut taken: Vec<Entry> = self.actions.drain(..actions).collect();
        if actions < most {
            taken.extend(self.folded.drain().map(|(_, entry)| entry));
        }
        if actions > 0 {
            self.actions.extend(self.lost.take());
        }
        taken
    }
}

impl Fold {
    fn of(entry: &Entry) -> Self {
        let actor = &entry.origin.actor;
        let known = matches!(actor, Actor::Caller(_));
        Self {
            action: entry.details.action,
            code: entry.details.code,
            actor: actor.name(),
            tenant: actor.tenant().map(str::to_owned),
            address: entry.origin.address,
            operation: entry.operation.clone(),
            reached: known.then(|| (entry.details.upload_id, entry.details.path.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit() -> AuditQueue {
        let metrics = Metrics::new(DateTime::<Utc>::MIN_UTC).expect("metrics");
        AuditQueue::new(Arc::new(metrics))
    }

    fn refused_at(audit: &AuditQueue, address: [u8; 4], path: &str) {
        let origin = Origin {
            address: Some(address.into()),
            ..Actor::Anonymous.into()
        };
        let details = ActionDetails {
            path: Some(path.to_owned()),
            code: Some("unauthenticated"),
            ..ActionDetails::new(Action::RequestRefused)
        };
        audit.record(
            DateTime::default(),
            origin,
            Some("GET /a".to_owned()),
            details,
        );
    }

    #[test]
    fn what_has_no_room_is_told_where_it_is_missing() {
        let audit = audit();
        let details = |n: usize| {
            let details = ActionDetails::on_subject(Action::KeyCreated, n);
            audit.record(DateTime::default(), Actor::Broker.into(), None, details);
        };
        (0..ROOM + 5).for_each(details);
        assert_eq!(audit.waiting(), ROOM);
        let first = audit.take(ROOM);
        assert_eq!(first.len(), ROOM);
        assert_eq!(
            first[ROOM - 1].details.subject,
            Some((ROOM - 1).to_string())
        );
        details(ROOM + 5);
        let second = audit.take(ROOM);
        let told: Vec<_> = (second.iter())
            .map(|entry| (entry.details.action.as_str(), entry.count))
            .collect();
        assert_eq!(told, [("audit.lost", 5), ("key.created", 1)]);
        assert!(audit.take(ROOM).is_empty());
    }

    #[test]
    fn a_flood_of_refusals_is_few_rows_and_pushes_out_no_deed() {
        let audit = audit();
        let details = ActionDetails::new(Action::KeyCreated);
        audit.record(DateTime::default(), Actor::Broker.into(), None, details);
        for n in 0..1_000 {
            refused_at(&audit, [10, 0, 0, 1], &format!("/{n}"));
        }
        for n in 0..=u8::MAX {
            refused_at(&audit, [10, 0, 1, n], "/");
            refused_at(&audit, [10, 0, 2, n], "/");
        }
        let taken = audit.take(1_000);
        assert_eq!(taken[0].details.action, Action::KeyCreated);
        assert_eq!(taken.len(), 1 + DIFFERENT + 1);
        let count: i32 = taken.iter().map(|entry| entry.count).sum();
        assert_eq!(count, 1 + 1_000 + 512, "every one is counted");
        let first = taken.iter().find(|entry| entry.count == 1_000);
        let path = first.and_then(|entry| entry.details.path.as_deref());
        assert_eq!(path, Some("/0"), "the first of them is shown");
        let many = |entry: &&Entry| entry.origin.actor.name() == "many";
        assert_eq!(taken.iter().filter(many).count(), 1);
    }

    #[test]
    fn refusals_come_with_the_last_of_the_deeds() {
        let audit = audit();
        refused_at(&audit, [10, 0, 0, 1], "/");
        for _ in 0..3 {
            let details = ActionDetails::new(Action::KeyCreated);
            audit.record(DateTime::default(), Actor::Broker.into(), None, details);
        }
        let taken = [2, 2, 2].map(|most| audit.take(most).len());
        assert_eq!(taken, [2, 2, 0]);
    }
}
