//! The event types that are published to SNS.

use super::event::EventType;

/// The event types that are published to SNS; events of all other types are only stored.
///
/// The value comes from the settings and is passed to every function that writes events, because
/// an event is marked as one to publish, or not, when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifiedTypes(Vec<EventType>);

impl NotifiedTypes {
    /// The types with these names. A name that no type has is ignored: the settings refuse it.
    pub fn named(names: &[&str]) -> Self {
        let all = EventType::ALL.into_iter();
        Self(all.filter(|kind| names.contains(&kind.as_str())).collect())
    }

    /// Whether events of this type are published.
    pub fn contains(&self, kind: EventType) -> bool {
        self.0.contains(&kind)
    }
}
