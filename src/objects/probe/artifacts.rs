//! The objects and multipart uploads that a probe leaves in the bucket, and their removal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::ProbeError;
/// The folder of all probes in a bucket.
pub use crate::domain::path::PROBE_FOLDER as FOLDER;
use crate::objects::multipart::OpenUpload;
use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// The most versions of an object of a probe. No object is written as often as that.
const VERSIONS: usize = 10;

/// The folder of one probe, and everything that was written or started in it.
#[derive(Debug)]
pub struct ProbeArtifacts {
    name: Uuid,
    stop: CancellationToken,
    created: Mutex<Created>,
}

/// What has to be removed.
#[derive(Debug, Default)]
struct Created {
    keys: Vec<String>,
    /// Delete markers in a versioned bucket, by key and version. They hide older versions.
    markers: Vec<(String, String)>,
    /// Multipart uploads, by key and id.
    multipart_uploads: Vec<(String, String)>,
    /// Whether there may be a multipart upload whose id is not known because the answer was lost.
    has_unknown_ids: bool,
}

impl ProbeArtifacts {
    /// Creates the record of a new folder. Nothing is written any more once `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            name: Uuid::new_v4(),
            stop,
            created: Mutex::default(),
        }
    }

    /// The upload id in the metadata of all objects of the probe. No upload has this id.
    pub fn id(&self) -> String {
        self.name.to_string()
    }

    /// The key of an object of this probe.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder())
    }

    fn folder(&self) -> String {
        format!("{FOLDER}{}/", self.name)
    }

    /// Records a key that is about to be written.
    ///
    /// # Errors
    /// The probe was stopped.
    pub(super) fn record_key(&self, key: &str) -> Result<(), ProbeError> {
        if self.stop.is_cancelled() {
            return Err(ProbeError::Stopped);
        }
        self.created().keys.push(key.to_owned());
        Ok(())
    }

    /// Records the key of a multipart upload that is about to be created; its id follows later.
    ///
    /// # Errors
    /// The probe was stopped.
    pub(super) fn record_multipart_start(&self, key: &str) -> Result<(), ProbeError> {
        self.record_key(key)?;
        self.created().has_unknown_ids = true;
        Ok(())
    }

    /// Records the id of a multipart upload that was created.
    pub(super) fn record_multipart(&self, key: &str, upload_id: &str) {
        self.created()
            .multipart_uploads
            .push((key.to_owned(), upload_id.to_owned()));
    }

    /// Records the delete marker that a delete has created in a versioned bucket.
    pub(super) fn record_delete_marker(&self, key: &str, version: &str) {
        self.created()
            .markers
            .push((key.to_owned(), version.to_owned()));
    }

    /// Removes all objects and multipart uploads of this probe, with all versions if the role has
    /// the right for that; otherwise, in a versioned bucket, they remain behind a delete marker.
    ///
    /// # Errors
    /// Returns the first error, after trying to remove everything.
    pub async fn remove(&self, store: &ObjectStore) -> Result<(), ProbeError> {
        let Created {
            mut keys,
            markers,
            multipart_uploads,
            has_unknown_ids,
        } = std::mem::take(&mut *self.created());
        let mut result = Ok(());
        for (key, id) in multipart_uploads {
            result = result.and(store.abort_multipart(&key, &id).await);
        }
        // If an answer was lost, only the store knows the id, so the multipart uploads are listed.
        // A store without such a listing cannot be asked.
        if has_unknown_ids && let Ok(remaining) = open_uploads(store, &self.folder()).await {
            for upload in remaining {
                result = result.and(store.abort_multipart(&upload.key, &upload.upload_id).await);
            }
        }
        for (key, version) in markers {
            match remove(store, &key, Some(version)).await {
                // The older versions remain behind the delete marker.
                Ok(()) | Err((_, Some(403))) => {}
                Err((error, _)) => result = result.and(Err(error)),
            }
        }
        keys.sort();
        keys.dedup();
        for key in keys {
            result = result.and(remove_all_versions(store, &key).await);
        }
        Ok(result?)
    }

    fn created(&self) -> MutexGuard<'_, Created> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open_uploads(store: &ObjectStore, folder: &str) -> Result<Vec<OpenUpload>, StoreError> {
    Ok(store.list_multipart(folder, 1000, None).await?.uploads)
}

async fn remove_all_versions(store: &ObjectStore, key: &str) -> Result<(), StoreError> {
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
