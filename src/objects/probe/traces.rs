//! What a probe leaves in the bucket, and its removal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{FOLDER, ProbeError};
use crate::objects::multipart::OpenUpload;
use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// How many versions of one probe's object there can be at most: it is never written as often.
const VERSIONS: usize = 10;

/// A folder of one probe's own, and all that was written or begun in it.
#[derive(Debug)]
pub struct ProbeArtifacts {
    name: Uuid,
    stop: CancellationToken,
    made: Mutex<Made>,
}

/// What there is to remove.
#[derive(Debug, Default)]
struct Made {
    keys: Vec<String>,
    /// Delete markers of a versioned bucket by key and version: they hide what lies below them.
    markers: Vec<(String, String)>,
    /// Multipart uploads by key and S3's id.
    begun: Vec<(String, String)>,
    /// Whether there may be one whose id is not known, because the answer was lost.
    unnamed: bool,
}

impl ProbeArtifacts {
    /// A new folder; from `stop` on nothing is written any more.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            name: Uuid::new_v4(),
            stop,
            made: Mutex::default(),
        }
    }

    /// What every object of the probe names as its upload; no upload has it.
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

    /// Notes what may have to be removed, before it is there.
    ///
    /// # Errors
    /// It was stopped.
    pub(super) fn write(&self, key: &str) -> Result<(), ProbeError> {
        if self.stop.is_cancelled() {
            return Err(ProbeError::Stopped);
        }
        self.made().keys.push(key.to_owned());
        Ok(())
    }

    /// The same of a multipart upload, whose id is known later.
    ///
    /// # Errors
    /// It was stopped.
    pub(super) fn begin(&self, key: &str) -> Result<(), ProbeError> {
        self.write(key)?;
        self.made().unnamed = true;
        Ok(())
    }

    /// Notes the id of a multipart upload that was begun.
    pub(super) fn began(&self, key: &str, upload_id: &str) {
        self.made()
            .begun
            .push((key.to_owned(), upload_id.to_owned()));
    }

    /// Notes the delete marker that a delete has left in a versioned bucket.
    pub(super) fn hid(&self, key: &str, version: &str) {
        self.made()
            .markers
            .push((key.to_owned(), version.to_owned()));
    }

    /// Removes every object and multipart upload of this probe, each version of them where the
    /// role may do that; else, in a versioned bucket, they stay behind a delete marker.
    ///
    /// # Errors
    /// The first failure; the others are removed all the same.
    pub async fn remove(&self, store: &ObjectStore) -> Result<(), ProbeError> {
        let Made {
            mut keys,
            markers,
            begun,
            unnamed,
        } = std::mem::take(&mut *self.made());
        let mut result = Ok(());
        for (key, id) in begun {
            result = result.and(store.abort_multipart(&key, &id).await);
        }
        // By the listing: the id of one whose answer was lost is known to the store alone. A store that
        // cannot list them cannot be asked.
        if unnamed && let Ok(left) = open_uploads(store, &self.folder()).await {
            for upload in left {
                result = result.and(store.abort_multipart(&upload.key, &upload.upload_id).await);
            }
        }
        for (key, version) in markers {
            match remove(store, &key, Some(version)).await {
                // What lies below it stays behind it.
                Ok(()) | Err((_, Some(403))) => {}
                Err((error, _)) => result = result.and(Err(error)),
            }
        }
        keys.sort();
        keys.dedup();
        for key in keys {
            result = result.and(erase(store, &key).await);
        }
        Ok(result?)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open_uploads(store: &ObjectStore, folder: &str) -> Result<Vec<OpenUpload>, StoreError> {
    Ok(store.list_multipart(folder, 1000, None).await?.uploads)
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
