//! The two changes of an object: made and removed. Index first, then the files, then the observer.

use super::bodies::Draft;
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
        let change = match self.index().put(bucket, key, &object, condition) {
            Ok(change) => change,
            Err(fault) => {
                if matches!(fault, Fault::Index(_)) {
                    // The commit may be on disk all the same: the next start's sweep will know.
                    draft.keep();
                }
                return Err(fault);
            }
        };
        draft.keep();
        if let Some(body) = change.orphan {
            self.bodies().remove(body);
        }
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
            if let Some(body) = change.orphan {
                self.bodies().remove(body);
            }
            self.tell(EventName::RemovedDelete, bucket, key, None, change.sequence);
        }
        Ok(())
    }

    /// Calls the observer, if there is one.
    fn tell(
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
