//! The two changes of an object: made and removed. Index first, then the files, then the observer.

use super::bodies::{BodyId, Draft};
use super::condition::Condition;
use super::errors::Fault;
use super::events::{Event, EventName};
use super::object::{Object, now};
use super::store::Store;

impl Store {
    /// Makes the draft an object, removes the body it replaces, tells the observer. Blocks.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        draft: Draft,
        condition: &Condition,
        event: EventName,
    ) -> Result<Object, Fault> {
        let change = keep_if_named(draft, self.index().put(bucket, key, &object, condition))?;
        self.remove_bodies(&change.orphans);
        self.tell(event, bucket, key, Some(&object), change.sequence);
        Ok(object)
    }

    /// Removes the object, then its body. Blocks.
    pub(super) fn remove(
        &self,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<(), Fault> {
        if let Some(change) = self.index().delete(bucket, key, condition)? {
            self.remove_bodies(&change.orphans);
            self.tell(EventName::RemovedDelete, bucket, key, None, change.sequence);
        }
        Ok(())
    }

    /// Removes what the index no longer names.
    pub(super) fn remove_bodies(&self, orphans: &[BodyId]) {
        for body in orphans {
            self.bodies().remove(*body);
        }
    }

    /// Calls the observer, if there is one.
    pub(super) fn tell(
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

/// Keeps the draft when the index names it now; else it goes.
pub(super) fn keep_if_named<T>(draft: Draft, indexed: Result<T, Fault>) -> Result<T, Fault> {
    // A commit that failed may be on disk all the same: the next start's sweep will know.
    if matches!(indexed, Ok(_) | Err(Fault::Index(_))) {
        draft.keep();
    }
    indexed
}
