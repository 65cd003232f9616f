//! Deleting exactly the object that was looked at.

use super::store::{ObjectStore, StoreError, failed, status};
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
    /// Removes `found` from `key`, and nothing that was written there since.
    ///
    /// In a versioned bucket that very version goes. Elsewhere `If-Match` holds the store to the
    /// ETag. A store without conditional writes leaves a gap of one round trip, in which a write
    /// that replaces the object would be removed in its stead.
    pub async fn delete(&self, key: &str, found: &FoundObject) -> Result<Deletion, StoreError> {
        let call = self.client.delete_object().bucket(self.bucket()).key(key);
        let call = match &found.version_id {
            Some(version) => call.version_id(version),
            None if self.conditional_writes => call.if_match(&found.etag),
            None => call,
        };
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
