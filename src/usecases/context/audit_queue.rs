//! Audit records on their way to Postgres.
//!
//! The queue is bounded. While it is full, the oldest records are kept, and new ones are lost: how an
//! incident began is worth more than how it went on. Lost records are counted, and one record at the
//! place of the gap says how many.
//!
//! Refusals are kept beside the actions, so that a flood of them cannot displace an action. Equal
//! refusals of one caller are one record with a count. Above a number of different refusals, all
//! further ones share a record.

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

/// The most actions that wait.
const MAX_ACTIONS: usize = 32_768;
/// The most different refusals that wait.
const MAX_REFUSALS: usize = 256;

/// Audit records that wait to be written.
#[derive(Debug)]
pub struct AuditQueue {
    state: Mutex<State>,
    added: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    actions: VecDeque<Entry>,
    folded: HashMap<Fold, Entry>,
    /// The record of the gap at the end of `actions`, if records were lost there.
    lost: Option<Entry>,
    /// Makes ids sort in the order in which the records were added.
    ids: ContextV7,
}

/// Refusals with equal values are one record.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fold {
    action: Action,
    code: Option<&'static str>,
    actor: Cow<'static, str>,
    tenant: Option<String>,
    address: Option<IpAddr>,
    operation: Option<String>,
    /// The upload and the path that were asked for; `None` for a caller without a known credential,
    /// which may ask for any number of them.
    reached: Option<(Option<Uuid>, Option<String>)>,
}

impl AuditQueue {
    /// An empty queue.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            state: Mutex::default(),
            added: Notify::new(),
            metrics,
        }
    }

    /// Adds the record of an action at `at`, of its caller, and of the HTTP `operation` if there was
    /// one. Never waits.
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
                log::warn!("audit: the queue is full: new records are lost");
            }
        }
        self.added.notify_one();
    }

    /// Waits until a record was added since the last call.
    pub async fn wait_for_records(&self) {
        self.added.notified().await;
    }

    /// Takes at most `most` of the oldest actions; together with the last of them, all refusals.
    pub fn take(&self, most: usize) -> Vec<Entry> {
        self.state().take(most)
    }

    /// The number of records that wait.
    pub fn waiting(&self) -> usize {
        let state = self.state();
        state.actions.len() + state.folded.len()
    }

    /// Each change is one step, so that a panic leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `Some` if the record is lost; `true` for the first one of a gap.
    fn add(&mut self, entry: Entry) -> Option<bool> {
        if entry.details.action.is_folded() {
            self.fold(entry);
            return None;
        }
        if let Some(lost) = &mut self.lost {
            lost.count = lost.count.saturating_add(1);
            return Some(false);
        }
        if self.actions.len() < MAX_ACTIONS {
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
        if self.folded.len() < MAX_REFUSALS {
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
    fn lost_records_are_counted_at_the_place_of_the_gap() {
        let audit = audit();
        let details = |n: usize| {
            let details = ActionDetails::on_subject(Action::KeyCreated, n);
            audit.record(DateTime::default(), Actor::Broker.into(), None, details);
        };
        (0..MAX_ACTIONS + 5).for_each(details);
        assert_eq!(audit.waiting(), MAX_ACTIONS);
        let first = audit.take(MAX_ACTIONS);
        assert_eq!(first.len(), MAX_ACTIONS);
        assert_eq!(
            first[MAX_ACTIONS - 1].details.subject,
            Some((MAX_ACTIONS - 1).to_string())
        );
        details(MAX_ACTIONS + 5);
        let second = audit.take(MAX_ACTIONS);
        let entries: Vec<_> = (second.iter())
            .map(|entry| (entry.details.action.as_str(), entry.count))
            .collect();
        assert_eq!(entries, [("audit.lost", 5), ("key.created", 1)]);
        assert!(audit.take(MAX_ACTIONS).is_empty());
    }

    #[test]
    fn flood_of_refusals_becomes_few_records_and_displaces_no_action() {
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
        assert_eq!(taken.len(), 1 + MAX_REFUSALS + 1);
        let count: i32 = taken.iter().map(|entry| entry.count).sum();
        assert_eq!(count, 1 + 1_000 + 512, "every one is counted");
        let first = taken.iter().find(|entry| entry.count == 1_000);
        let path = first.and_then(|entry| entry.details.path.as_deref());
        assert_eq!(path, Some("/0"), "the first of them is shown");
        let many = |entry: &&Entry| entry.origin.actor.name() == "many";
        assert_eq!(taken.iter().filter(many).count(), 1);
    }

    #[test]
    fn refusals_are_taken_with_the_last_actions() {
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
