//! Deleting exactly the object that was looked at.

use super::store::{ObjectStore, StoreError, failed, status};
use crate::domain::abilities::{Ability, Support};
use crate::domain::object::FoundObject;

/// What became of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing of the object that was looked at stands there any more.
    Gone,
    /// Another object took its place meanwhile; that one was left alone.
    Replaced,
}

impl ObjectStore {
    /// Removes `found` from `key`, and nothing that was written there since: `If-Match` holds the
    /// store to the ETag.
    ///
    /// In a versioned bucket the object is hidden by a delete marker, not destroyed; removing its
    /// very version would bring the one before it back to light. A store without conditional
    /// writes leaves a gap of one round trip, in which a write that replaces the object would be
    /// removed in its stead.
    pub async fn delete(&self, key: &str, found: &FoundObject) -> Result<Deletion, StoreError> {
        let if_match = (self.abilities.now().of(Ability::DeleteIfMatch) != Support::No)
            .then(|| found.etag.clone());
        let call = (self.client.delete_object())
            .bucket(self.bucket())
            .key(key)
            .set_if_match(if_match);
        match self.timed("DeleteObject", call.send()).await {
            Ok(_) => Ok(Deletion::Gone),
            Err(error) => match status(&error) {
                Some(404) => Ok(Deletion::Gone),
                Some(409 | 412) => Ok(Deletion::Replaced),
                _ => Err(failed("DeleteObject", error)),
            },
        }
    }
}
