//! Deletes an upload together with its object.
//!
//! The delete has three steps, each of which is safe to repeat: mark the upload Deleting, remove
//! the object, mark the upload Deleted. After a crash, or if S3 fails, the upload stays Deleting:
//! another request continues the delete, and so does the janitor. Objects of newer uploads are
//! kept: see [`removal`](crate::usecases::uploads::removal).
//!
//! A delete by id ends an upload. A delete by path removes a dataset: success means that no object
//! is at the path any more.

use std::sync::Arc;

use uuid::Uuid;

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

/// What to do if another object is at the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Refuse the request.
    #[default]
    No,
    /// End the upload, and keep the object.
    Upload,
    /// Remove the object as well, unless another upload relies on it.
    Object,
}

/// What is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeleteTarget {
    /// An upload and its object.
    Upload,
    /// An upload whose key now lies under the prefix of another tenant: no object is removed.
    UploadInOtherTenantsPrefix,
    /// The dataset at a path.
    Dataset,
}

#[derive(Clone, Copy, Debug)]
struct DeleteOptions {
    target: DeleteTarget,
    force: Force,
}

/// Deletes an upload and its object, and returns the upload.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    force: Force,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, id).await?;
    drop(connection);
    let target = match principal.jail.path(&upload.key) {
        Some(_) => DeleteTarget::Upload,
        None => DeleteTarget::UploadInOtherTenantsPrefix,
    };
    delete_to_end(broker, upload, DeleteOptions { target, force }).await
}

/// Deletes the dataset at a path and its upload, and returns the upload. Afterwards no object is at
/// the path.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: &Principal,
    path: &DatasetPath,
    force: Force,
) -> Result<Upload> {
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
    drop(connection);
    let target = DeleteTarget::Dataset;
    delete_to_end(broker, upload, DeleteOptions { target, force }).await
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
    async fn delete(&self, upload: &Upload, options: DeleteOptions) -> Result<()> {
        let transition = Transition::StartDelete;
        if upload.status != Status::Deleting && !transition.allows(upload.status) {
            return Err(Refusal::wrong_status(upload.id, upload.status, transition).into());
        }
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
        let object = object_to_remove(removal, upload, options)?;
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

/// Returns the object that is deleted with the upload, if any.
fn object_to_remove(
    removal: &Removal,
    upload: &Upload,
    options: DeleteOptions,
) -> Result<Option<FoundObject>, Refusal> {
    let Some(found) = removal.found() else {
        return Ok(None);
    };
    let other = removal.upload_relying_on(found);
    let is_dataset = options.target == DeleteTarget::Dataset;
    // A failed upload never owned an object that another program wrote.
    let failed = upload.status == Status::Error && !is_dataset;
    let forced = options.force == Force::Object && !failed;
    let is_free = other.is_none() && options.target != DeleteTarget::UploadInOtherTenantsPrefix;
    if is_free && (upload.owns(found) || forced) {
        return Ok(Some(found.clone()));
    }
    let is_over = matches!(upload.status, Status::Error | Status::Deleting);
    match !is_dataset && (is_over || options.force != Force::No) {
        true => Ok(None),
        false => Err(object_kept(upload, found, other, options.target)),
    }
}

fn object_kept(
    upload: &Upload,
    found: &FoundObject,
    other: Option<&Upload>,
    target: DeleteTarget,
) -> Refusal {
    let path = &upload.path;
    let proven = (upload.object.as_ref()).map_or("none", |object| object.etag.as_str());
    let why = match (other, target) {
        (Some(other), _) => {
            let (id, status) = (other.id, other.status);
            format!("The object at {path} belongs to the upload {id}, which is {status}.")
        }
        (None, DeleteTarget::UploadInOtherTenantsPrefix) => {
            format!("{path} now belongs to another tenant.")
        }
        (None, DeleteTarget::Upload | DeleteTarget::Dataset) => format!(
            "The object at {path} is not the proven one (etag {proven}, now {}).",
            found.etag
        ),
    };
    let id = upload.id;
    let remedy = match (other, target) {
        (Some(_), DeleteTarget::Dataset) => {
            format!("DELETE /uploads/{id}?force=true ends this upload and keeps that object.")
        }
        (None, DeleteTarget::Dataset) => format!(
            "Set force=remove to remove it; DELETE /uploads/{id}?force=true ends the upload and keeps the object."
        ),
        (None, DeleteTarget::Upload) => "Set force=true to end the upload and keep the object, or force=remove to remove the object as well.".to_owned(),
        (_, DeleteTarget::Upload | DeleteTarget::UploadInOtherTenantsPrefix) => {
            "Set force=true to end the upload and keep the object.".to_owned()
        }
    };
    drifted(upload, format!("{why} {remedy}"))
}

fn written_meanwhile(upload: &Upload) -> Refusal {
    let detail = format!(
        "The dataset at {} was deleted, but another object was written there in the meantime.",
        upload.path
    );
    Refusal {
        status: Some(Status::Deleted),
        ..drifted(upload, detail)
    }
}

fn drifted(upload: &Upload, detail: String) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(Code::DatasetDrifted, detail)
    }
}
