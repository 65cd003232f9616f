//! Removing every trace of a probe.

use super::{Made, Probe, ProbeError};
use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// How many versions of one probe's object there can be at most: it is never written as often.
const VERSIONS: usize = 5;

impl Probe<'_> {
    /// Removes every object and multipart upload of this probe, each version of them where the
    /// role may do that; else, in a versioned bucket, they stay behind a delete marker.
    ///
    /// # Errors
    /// The first failure; the others are removed all the same.
    pub async fn erase(&self) -> Result<(), ProbeError> {
        let Made { mut keys, parts } = std::mem::take(&mut *self.made());
        let mut result = Ok(());
        if parts {
            result = abort_all(self.store, &self.folder()).await;
        }
        keys.sort();
        keys.dedup();
        for key in keys {
            result = result.and(erase(self.store, &key).await);
        }
        Ok(result?)
    }
}

/// By the listing: S3's id of one whose answer was lost is known to nobody else.
async fn abort_all(store: &ObjectStore, folder: &str) -> Result<(), StoreError> {
    let mut result = Ok(());
    for upload in store.list_multipart(folder, 1000, None).await?.uploads {
        result = result.and(store.abort_multipart(&upload.key, &upload.upload_id).await);
    }
    result
}

async fn erase(store: &ObjectStore, key: &str) -> Result<(), StoreError> {
    for _ in 0..VERSIONS {
        let Some(found) = store.head(key).await? else {
            return Ok(());
        };
        let version = found.version_id;
        match remove(store, key, version.clone()).await {
            Err((_, Some(403))) if version.is_some() => {
                return remove(store, key, None).await.map_err(|(error, _)| error);
            }
            other => other.map_err(|(error, _)| error)?,
        }
    }
    Ok(())
}

async fn remove(
    store: &ObjectStore,
    key: &str,
    version: Option<String>,
) -> Result<(), (StoreError, Option<u16>)> {
    let call = (store.client.delete_object())
        .bucket(store.bucket())
        .key(key)
        .set_version_id(version);
    let done = store.timed("DeleteObject", call.send()).await;
    done.map(drop).map_err(|error| {
        let status = status(&error);
        (failed("DeleteObject", error), status)
    })
}
