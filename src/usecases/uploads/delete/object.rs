//! Which object a delete removes, and what it refuses.

use super::options::{DeleteOptions, DeleteTarget, Force};
use crate::domain::object::FoundObject;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Refuses what a delete would refuse at this moment. Changes nothing.
    pub(super) async fn ensure_deletable(
        &self,
        upload: &Upload,
        options: DeleteOptions,
    ) -> Result<()> {
        ensure_status(upload)?;
        let Some(found) = self.head_object(upload).await? else {
            return Ok(());
        };
        let other = self.find_relying_upload(upload, &found).await?;
        object_to_remove(Some(&found), other.as_ref(), upload, options)?;
        Ok(())
    }
}

/// Refuses an upload whose status allows no delete.
pub(super) fn ensure_status(upload: &Upload) -> Result<(), Refusal> {
    let transition = Transition::StartDelete;
    match upload.status == Status::Deleting || transition.allows(upload.status) {
        true => Ok(()),
        false => Err(Refusal::wrong_status(upload.id, upload.status, transition)),
    }
}

/// Returns the object that is deleted with the upload, if any. `found` is the object at the key, and
/// `other` is another upload that relies on it.
pub(super) fn object_to_remove(
    found: Option<&FoundObject>,
    other: Option<&Upload>,
    upload: &Upload,
    options: DeleteOptions,
) -> Result<Option<FoundObject>, Refusal> {
    let Some(found) = found else {
        return Ok(None);
    };
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

/// Refuses a delete by path that has removed the object, but after which there is another one.
pub(super) fn written_meanwhile(upload: &Upload) -> Refusal {
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
