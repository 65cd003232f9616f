//! The two changes of an object: creation and removal. Each changes the index first, then the files, and
//! then notifies the observer.

use super::bodies::{BodyId, Draft};
use super::condition::Condition;
use super::errors::StoreError;
use super::events::{Event, EventName};
use super::object::{Object, now};
use super::store::Store;

impl Store {
    /// Creates an object from the draft, removes the body of the replaced object, and notifies the observer.
    /// Blocks.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        draft: Draft,
        condition: &Condition,
        event: EventName,
    ) -> Result<Object, StoreError> {
        let change = persist_if_indexed(draft, self.index().put(bucket, key, &object, condition))?;
        self.remove_bodies(&change.orphans);
        self.notify_observer(event, bucket, key, Some(&object), change.sequence);
        Ok(object)
    }

    /// Removes an object, then its body. Blocks.
    pub(super) fn remove(
        &self,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<(), StoreError> {
        if let Some(change) = self.index().delete(bucket, key, condition)? {
            self.remove_bodies(&change.orphans);
            self.notify_observer(EventName::RemovedDelete, bucket, key, None, change.sequence);
        }
        Ok(())
    }

    /// Removes bodies that the index does not refer to any more.
    pub(super) fn remove_bodies(&self, orphans: &[BodyId]) {
        for body in orphans {
            self.bodies().remove(*body);
        }
    }

    /// Sends an event to the observer, if there is one.
    pub(super) fn notify_observer(
        &self,
        name: EventName,
        bucket: &str,
        key: &str,
        object: Option<&Object>,
        sequence: u64,
    ) {
        if let Some(observer) = self.observer() {
            observer.changed(&Event {
                name,
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                size: object.map(|object| object.size),
                etag: object.map(|object| object.etag.clone()),
                sequencer: format!("{sequence:018X}"),
                time: now(),
            });
        }
    }
}

/// Keeps the draft if the index refers to it now; otherwise the draft is removed.
pub(super) fn persist_if_indexed<T>(
    draft: Draft,
    indexed: Result<T, StoreError>,
) -> Result<T, StoreError> {
    // A failed commit may have reached the disk all the same. The next start finds out, and removes the
    // body if it is unused.
    if matches!(indexed, Ok(_) | Err(StoreError::Index(_))) {
        draft.persist();
    }
    indexed
}
