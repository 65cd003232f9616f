//! The feed of a tenant: its events in an order that a reader can follow.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{Event, EventType};
use super::jail::Jail;

/// A place in the order of the feed. A reader at a place has everything up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The id of the transaction that wrote the event. It never wraps.
    #[serde(rename = "x")]
    pub transaction: i64,
    /// The id of the event; nil for the place before all events of the transaction.
    #[serde(rename = "e")]
    pub event: Uuid,
}

impl Position {
    /// The place before all events.
    pub const START: Self = Self::before(0);

    /// The place before all events of a transaction.
    pub const fn before(transaction: i64) -> Self {
        Self {
            transaction,
            event: Uuid::nil(),
        }
    }
}

/// A [`Position`], and the Postgres cluster whose transactions it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedCursor {
    /// Identifies the cluster.
    #[serde(rename = "c")]
    pub cluster: i64,
    /// The position.
    #[serde(flatten)]
    pub position: Position,
}

/// An event at its place in the feed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// The place.
    pub position: Position,
    /// The event.
    pub event: Arc<Event>,
}

/// The events that a reader gets.
#[derive(Clone, Debug, Default)]
pub struct FeedFilter {
    /// The permitted types; any type if the list is empty.
    pub types: Vec<EventType>,
    /// The start of the paths, with the leading slash.
    pub prefix: Option<String>,
}

impl FeedFilter {
    /// Whether a reader that is confined to `jail` gets the event.
    pub fn admits(&self, jail: &Jail, event: &Event) -> bool {
        let path = event.data.get("path").and_then(|path| path.as_str());
        let path = path.unwrap_or_default();
        let has_type = |kind: &EventType| kind.as_str() == event.kind;
        (self.types.is_empty() || self.types.iter().any(has_type))
            && (self.prefix.as_deref()).is_none_or(|prefix| path.starts_with(prefix))
            && jail.folder().is_none_or(|folder| folder.contains(path))
    }
}
