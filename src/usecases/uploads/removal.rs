//! Removal: an object is deleted while no proof can count on it.
//!
//! Two uploads of the same bytes have the same ETag, and a store without conditional deletes
//! removes any object. A DELETE that the network delays, or that a process sent before it died,
//! could therefore remove the object of a newer upload. A removal takes these steps:
//!
//! 1. Register the removal, and commit. From then on no proof of such an object at this key is
//!    committed: an acknowledge waits for a few seconds, then answers 503.
//! 2. Wait for the proofs that are being committed at this moment.
//! 3. HEAD the object. An object that another upload relies on is kept.
//! 4. DELETE the object, with `If-Match`. The store refuses the request after its signature expires.
//! 5. Check the other acknowledged uploads at the key; a missing object is recorded as drift.
//! 6. End the removal, if the store has answered.
//!
//! | fails or gets no answer | leaves | repaired by |
//! |---|---|---|
//! | before the DELETE | the removal and the object | the removal expires; the delete, the cancel or the janitor starts a new one |
//! | after the DELETE | the removal; the object is gone or will be | the removal expires when the store accepts the request no more |
//!
//! Expired removals are deleted by later ones.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::object::{FoundObject, same_etag};
use crate::domain::upload::Upload;
use crate::objects::{Bucket, DELETE_EXPIRES, DeleteError, DeleteIf, Deletion};
use crate::store::removals;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};

/// How long after its registration a removal may send its DELETE.
const SEND_WITHIN: TimeDelta = TimeDelta::seconds(30);
/// By how much the clocks of replicas, and the store's, may differ.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// How long expired removals are kept. More than clocks differ by.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// A removal in progress. The caller ends it with [`Broker::end_removal`] in every case.
pub(in crate::usecases) struct Removal {
    id: Uuid,
    bucket: Arc<Bucket>,
    key: String,
    upload: Uuid,
    etag: Option<String>,
    send_by: DateTime<Utc>,
    found: Option<FoundObject>,
    others: Vec<Upload>,
    may_arrive: bool,
}

impl Removal {
    /// The object at the key.
    pub(in crate::usecases) fn found(&self) -> Option<&FoundObject> {
        self.found.as_ref()
    }

    /// Another upload that relies on this object, or may still be proven by it.
    pub(in crate::usecases) fn upload_relying_on(&self, object: &FoundObject) -> Option<&Upload> {
        (self.others.iter()).find(|other| relies_on(other, object))
    }
}

/// Whether an upload that is proven, or may still be, relies on an object at its key: the object
/// has the proven ETag, or was written with the URL of the upload.
fn relies_on(upload: &Upload, object: &FoundObject) -> bool {
    let is_proven = |etag: &str| same_etag(etag, &object.etag);
    let proven = (upload.object.as_ref()).filter(|_| upload.status.is_acknowledged());
    object.upload_id == Some(upload.id) || proven.is_some_and(|proven| is_proven(&proven.etag))
}

impl Broker {
    /// Registers a removal at the key of `upload`, then reads the object there. With `etag`, only
    /// an object with this ETag may be removed, and proofs of other objects are not blocked.
    pub(in crate::usecases) async fn begin_removal(
        &self,
        upload: &Upload,
        etag: Option<&str>,
    ) -> Result<Removal> {
        let bucket = self.bucket(&upload.bucket).await?;
        let now = self.clock.now();
        let is_conditional = bucket.objects.delete_if() == DeleteIf::SameEtag;
        let mut removal = Removal {
            id: Uuid::now_v7(),
            bucket,
            key: upload.key.clone(),
            upload: upload.id,
            etag: etag.filter(|_| is_conditional).map(str::to_owned),
            send_by: now + SEND_WITHIN,
            found: None,
            others: Vec::new(),
            may_arrive: false,
        };
        let row = removals::Removal {
            id: removal.id,
            bucket: &upload.bucket,
            key: &upload.key,
            etag: removal.etag.as_deref(),
            ends_at: removal.send_by + expires() + SKEW,
        };
        let mut connection = self.connection().await?;
        removals::register(&mut connection, &row, now - KEPT).await?;
        drop(connection);
        if let Err(error) = self.inspect_key(&mut removal).await {
            self.end_removal(removal).await;
            return Err(error);
        }
        Ok(removal)
    }

    /// Waits for proofs that are being committed, then reads the object.
    async fn inspect_key(&self, removal: &mut Removal) -> Result<()> {
        let bucket = removal.bucket.objects.bucket();
        let mut connection = self.connection().await?;
        removal.others =
            uploads::find_relying_on_object(&mut connection, bucket, &removal.key, removal.upload)
                .await?;
        drop(connection);
        removal.found = removal.bucket.objects.head(&removal.key).await?;
        Ok(())
    }

    /// Removes `object`, which [`Removal::found`] returned and on which no other upload relies.
    pub(in crate::usecases) async fn remove_found(
        &self,
        removal: &mut Removal,
        object: &FoundObject,
    ) -> Result<Deletion> {
        let delete_if = removal.bucket.objects.delete_if();
        if delete_if == DeleteIf::SameEtag && removal.etag.is_none() {
            let mut connection = self.connection().await?;
            removals::set_etag(&mut connection, removal.id, Some(&object.etag)).await?;
            removal.etag = Some(object.etag.clone());
        }
        let mut deletion = self.send_delete(removal, object, delete_if).await?;
        if deletion == Deletion::ConditionUnsupported {
            deletion = self.remove_unconditionally(removal, object).await?;
        }
        if deletion == Deletion::Gone {
            self.check_drift_of_others(removal).await?;
        }
        Ok(deletion)
    }

    /// Removes the object if the store does not support `If-Match` on deletes. Any object at the
    /// key would be removed, so no object may be proven there meanwhile, and the object is read
    /// again.
    async fn remove_unconditionally(
        &self,
        removal: &mut Removal,
        object: &FoundObject,
    ) -> Result<Deletion> {
        let mut connection = self.connection().await?;
        removals::set_etag(&mut connection, removal.id, None).await?;
        removal.etag = None;
        drop(connection);
        self.inspect_key(removal).await?;
        let found = match removal.found() {
            None => return Ok(Deletion::Gone),
            Some(found) => found.clone(),
        };
        if !is_same(&found, object) || removal.upload_relying_on(&found).is_some() {
            return Ok(Deletion::Replaced);
        }
        let deletion = self.send_delete(removal, &found, DeleteIf::Any).await?;
        removal.bucket.objects.record_unconditional_deletes();
        Ok(deletion)
    }

    async fn send_delete(
        &self,
        removal: &mut Removal,
        object: &FoundObject,
        delete_if: DeleteIf,
    ) -> Result<Deletion> {
        if self.clock.now() > removal.send_by {
            let cause = "the object was not read in time before its removal";
            return Err(Error::unavailable(Dependency::S3, cause));
        }
        removal.may_arrive = true;
        let objects = &removal.bucket.objects;
        match objects.delete(&removal.key, object, delete_if).await {
            Ok(deletion) => {
                removal.may_arrive = false;
                Ok(deletion)
            }
            Err(DeleteError { error, may_arrive }) => {
                removal.may_arrive = may_arrive;
                Err(error.into())
            }
        }
    }

    /// Records drift of the other acknowledged uploads at the key.
    async fn check_drift_of_others(&self, removal: &Removal) -> Result<()> {
        let acknowledged = (removal.others.iter()).filter(|other| other.status.is_acknowledged());
        for other in acknowledged {
            self.check_drift(other.clone()).await?;
        }
        Ok(())
    }

    /// Ends a removal. If its DELETE may still reach the store, the removal is left to expire.
    pub(in crate::usecases) async fn end_removal(&self, removal: Removal) {
        if removal.may_arrive {
            log::warn!(
                "S3 did not answer the DELETE of {}: uploads of the same object cannot be acknowledged until {}",
                removal.key,
                removal.send_by + expires() + SKEW
            );
            return;
        }
        let ended = async {
            let mut connection = self.connection().await?;
            removals::end(&mut connection, removal.id).await?;
            Ok::<_, Error>(())
        };
        if let Err(cause) = ended.await {
            log::warn!(
                "the removal of {} could not be ended and will expire: {cause}",
                removal.key
            );
        }
    }

    /// Removes the object at the key of `upload` if `is_own` accepts it and no other upload relies
    /// on it. Returns `None` if there was nothing to remove.
    pub(in crate::usecases) async fn remove_own(
        &self,
        upload: &Upload,
        is_own: fn(&Upload, &FoundObject) -> bool,
    ) -> Result<Option<Deletion>> {
        // In most cases there is nothing to remove, and a HEAD is enough.
        let found = self.head_object(upload).await?;
        if !found.is_some_and(|found| is_own(upload, &found)) {
            return Ok(None);
        }
        let mut removal = self.begin_removal(upload, None).await?;
        let own = (removal.found().cloned())
            .filter(|found| is_own(upload, found) && removal.upload_relying_on(found).is_none());
        let removed = match own {
            Some(own) => self.remove_found(&mut removal, &own).await.map(Some),
            None => Ok(None),
        };
        self.end_removal(removal).await;
        removed
    }

    /// Finds another upload that relies on an object at the key of `upload`.
    pub(in crate::usecases) async fn find_relying_upload(
        &self,
        upload: &Upload,
        object: &FoundObject,
    ) -> Result<Option<Upload>> {
        let (bucket, key) = (&*upload.bucket, &*upload.key);
        let mut connection = self.connection().await?;
        let others =
            uploads::find_relying_on_object(&mut connection, bucket, key, upload.id).await?;
        Ok(others.into_iter().find(|other| relies_on(other, object)))
    }
}

fn is_same(one: &FoundObject, other: &FoundObject) -> bool {
    same_etag(&one.etag, &other.etag)
        && one.upload_id == other.upload_id
        && one.last_modified == other.last_modified
}

fn expires() -> TimeDelta {
    TimeDelta::from_std(DELETE_EXPIRES).unwrap_or(TimeDelta::MAX)
}
