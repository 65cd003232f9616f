//! Deletes an upload together with its object.
//!
//! The delete has three steps, each of which is safe to repeat: mark the upload Deleting, remove
//! the object, mark the upload Deleted. After a crash, or if S3 fails, the upload stays Deleting:
//! another request continues the delete, and so does the janitor. Objects of newer uploads are
//! kept: see [`removal`](crate::usecases::uploads::removal).
//!
//! A delete by id ends an upload. A delete by path removes a dataset: success means that no object
//! is at the path any more. [`cascade`] also deletes what was derived from the upload.

pub mod cascade;
mod derived;
mod object;
mod options;

use std::sync::Arc;

use uuid::Uuid;

use self::object::{ensure_status, object_to_remove, written_meanwhile};
pub use self::options::Force;
use self::options::{DeleteOptions, DeleteTarget};
use crate::domain::object::FoundObject;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::objects::Deletion;
use crate::store::uploads::{self, Changes};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;
use crate::usecases::uploads::removal::Removal;

/// Deletes an upload and its object, and returns the upload.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    force: Force,
) -> Result<Upload> {
    let (upload, options) = find_by_id(broker, principal, id, force).await?;
    delete_to_end(broker, upload, options).await
}

async fn find_by_id(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    force: Force,
) -> Result<(Upload, DeleteOptions)> {
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, id).await?;
    let options = DeleteOptions::of_upload(&upload, &principal.jail, force);
    Ok((upload, options))
}

/// Deletes the dataset at a path and its upload, and returns the upload. Afterwards no object is at
/// the path.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: &Principal,
    path: &DatasetPath,
    force: Force,
) -> Result<Upload> {
    let (upload, options) = find_by_path(broker, principal, path, force).await?;
    delete_to_end(broker, upload, options).await
}

async fn find_by_path(
    broker: &Broker,
    principal: &Principal,
    path: &DatasetPath,
    force: Force,
) -> Result<(Upload, DeleteOptions)> {
    // The path may lie under the prefix of a tenant that was created after the upload.
    if let Err(reason) = principal.jail.key(path) {
        let not_found = Refusal::new(
            Code::DatasetNotFound,
            format!("There is no object at {path}."),
        );
        return Err(not_found.with_rejected_path(reason, path.as_str()).into());
    }
    let mut connection = broker.connection().await?;
    let found = uploads::find_delete_target(&mut connection, &principal.tenant, path).await?;
    let upload = find::visible(principal, path, found, Code::DatasetNotFound)?;
    let target = DeleteTarget::Dataset;
    Ok((upload, DeleteOptions { target, force }))
}

/// Performs the last two steps of a delete that has started.
pub async fn finish(broker: &Arc<Broker>, upload: Upload) -> Result<()> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move {
            let mut connection = this.connection().await?;
            let before = uploads::read_path_state(&mut connection, &upload).await?;
            drop(connection);
            if !before.in_other_tenants_prefix {
                this.remove_own_object(&upload).await?;
            }
            this.mark_deleted(&upload).await
        })
        .await
}

async fn delete_to_end(
    broker: &Arc<Broker>,
    upload: Upload,
    options: DeleteOptions,
) -> Result<Upload> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move {
            this.delete(&upload, options).await?;
            Ok(upload)
        })
        .await
}

impl Broker {
    /// Deletes an upload and its object.
    async fn delete(&self, upload: &Upload, options: DeleteOptions) -> Result<()> {
        ensure_status(upload)?;
        let proven = upload.object.as_ref().map(|object| &*object.etag);
        let etag = proven.filter(|_| options.force != Force::Object);
        let mut removal = self.begin_removal(upload, etag).await?;
        let deleted = self
            .delete_with_removal(&mut removal, upload, options)
            .await;
        self.end_removal(removal).await;
        deleted
    }

    async fn delete_with_removal(
        &self,
        removal: &mut Removal,
        upload: &Upload,
        options: DeleteOptions,
    ) -> Result<()> {
        let found = removal.found();
        let other = found.and_then(|found| removal.upload_relying_on(found));
        let object = object_to_remove(found, other, upload, options)?;
        self.start_delete(upload).await?;
        let mut is_free = true;
        if let Some(object) = &object {
            is_free = self.remove_found(removal, object).await? == Deletion::Gone;
            if is_free && object.upload_id != Some(upload.id) {
                self.clear_unproven_size(upload, object).await?;
            }
        }
        self.mark_deleted(upload).await?;
        match options.target {
            DeleteTarget::Dataset if !is_free => Err(written_meanwhile(upload).into()),
            _ => Ok(()),
        }
    }

    /// Marks the upload Deleting, unless it already is.
    async fn start_delete(&self, upload: &Upload) -> Result<()> {
        let transition = Transition::StartDelete;
        if upload.status == Status::Deleting {
            return Ok(());
        }
        let changed = self
            .change_status(upload, transition, Changes::default())
            .await?;
        if changed.is_some() {
            return Ok(());
        }
        let now = self.reload(upload).await?;
        match now.status {
            // Another request deletes it as well. Both may finish.
            Status::Deleting => Ok(()),
            status => Err(Refusal::wrong_status(now.id, status, transition).into()),
        }
    }

    /// The removed object may be counted for a failed upload: it no longer uses the quota.
    async fn clear_unproven_size(&self, upload: &Upload, object: &FoundObject) -> Result<()> {
        let owner = self.upload_in_metadata(&upload.bucket, &upload.key, Some(object));
        if let Some(other) = owner.await?.upload() {
            let mut connection = self.connection().await?;
            uploads::set_unproven_size(&mut connection, other.id, None).await?;
        }
        Ok(())
    }

    async fn mark_deleted(&self, upload: &Upload) -> Result<()> {
        // The janitor or another request may have marked it before.
        self.change_status(upload, Transition::FinishDelete, Changes::default())
            .await?;
        Ok(())
    }
}
