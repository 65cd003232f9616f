//! Delete: the object goes, and with it the upload.
//!
//! Mark Deleting, remove the object, mark Deleted: three steps, each safe to repeat. A crash, or
//! S3 failing after the first, leaves a Deleting row that the janitor finishes.

use std::sync::Arc;

use uuid::Uuid;

use super::broker::Broker;
use super::error::Result;
use super::find;
use crate::domain::object::FoundObject;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::store::uploads::{self, Changes};

/// Deletes an upload and its object, and says which it was. `force` also where something else
/// stands at its path.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    force: bool,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, id).await?;
    drop(connection);
    to_end(broker, principal, upload, force).await
}

/// Deletes the upload that answers for what stands at a path, and says which it was.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: &Principal,
    path: &DatasetPath,
    force: bool,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let found = uploads::find_path(&mut connection, &principal.tenant, path).await?;
    let upload = find::visible(principal, path, found, Code::DatasetNotFound)?;
    drop(connection);
    to_end(broker, principal, upload, force).await
}

/// Takes the last two steps of a delete that began.
pub async fn finish(broker: &Arc<Broker>, upload: Upload) -> Result<()> {
    let this = Arc::clone(broker);
    broker
        .to_end(async move {
            this.remove_own_object(&upload).await?;
            this.mark_deleted(&upload).await
        })
        .await
}

async fn to_end(
    broker: &Arc<Broker>,
    principal: &Principal,
    upload: Upload,
    force: bool,
) -> Result<Upload> {
    let this = Arc::clone(broker);
    let force = match force {
        false => Force::No,
        // A place may have become another tenant's since the upload was made.
        true if principal.jail.path(&upload.key).is_none() => Force::Row,
        true => Force::RowAndObject,
    };
    broker
        .to_end(async move {
            this.delete(&upload, force).await?;
            Ok(upload)
        })
        .await
}

/// What to do where the object is no longer the proven one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Force {
    /// Refuse.
    No,
    /// End the upload, and leave the object alone.
    Row,
    /// End the upload, and remove what stands there unless another upload counts on it.
    RowAndObject,
}

impl Broker {
    async fn delete(&self, upload: &Upload, force: Force) -> Result<()> {
        let arrow = Transition::StartDelete;
        if !arrow.allows(upload.status) {
            return Err(Refusal::wrong_status(upload.id, upload.status, arrow).into());
        }
        let found = self.stored(upload).await?;
        let doomed = self.doomed(upload, found, force).await?;
        if self
            .take(upload, arrow, Changes::default())
            .await?
            .is_none()
        {
            let now = self.reload(upload).await?;
            return Err(Refusal::wrong_status(now.id, now.status, arrow).into());
        }
        if let Some(object) = doomed {
            self.remove_stored(upload, &object).await?;
            // With force it may be what another one has left.
            if let Some(other) = object.upload_id.filter(|id| *id != upload.id) {
                let mut connection = self.connection().await?;
                uploads::note_unproven(&mut connection, other, None).await?;
            }
        }
        self.mark_deleted(upload).await
    }

    /// The object that goes with the upload, if any.
    async fn doomed(
        &self,
        upload: &Upload,
        found: Option<FoundObject>,
        force: Force,
    ) -> Result<Option<FoundObject>> {
        let Some(found) = found else {
            return Ok(None);
        };
        if upload.owns(&found) {
            return Ok(Some(found));
        }
        if upload.status == Status::Error {
            return Ok(None);
        }
        match force {
            Force::No => Err(drifted(upload, &found).into()),
            Force::Row => Ok(None),
            Force::RowAndObject if self.is_anothers(upload, &found).await? => Ok(None),
            Force::RowAndObject => Ok(Some(found)),
        }
    }

    /// Whether the object is the promised one of another upload that still counts on it.
    async fn is_anothers(&self, upload: &Upload, found: &FoundObject) -> Result<bool> {
        let Some(id) = found.upload_id.filter(|id| *id != upload.id) else {
            return Ok(false);
        };
        let mut connection = self.connection().await?;
        let other = uploads::by_id(&mut connection, &upload.tenant, id).await?;
        Ok(other.is_some_and(|other| {
            other.status.is_acknowledged() || Transition::Acknowledge.allows(other.status)
        }))
    }

    async fn mark_deleted(&self, upload: &Upload) -> Result<()> {
        // Nothing to take where the janitor, or the request itself, was faster.
        self.take(upload, Transition::FinishDelete, Changes::default())
            .await?;
        Ok(())
    }
}

fn drifted(upload: &Upload, found: &FoundObject) -> Refusal {
    let proven = (upload.object.as_ref()).map_or("none", |object| object.etag.as_str());
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(
            Code::DatasetDrifted,
            format!(
                "The object at {} is not the proven one (etag {proven}, now {}). Set force=true to delete it all the same.",
                upload.path, found.etag
            ),
        )
    }
}
