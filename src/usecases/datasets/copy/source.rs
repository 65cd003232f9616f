//! The source of a copy, and its removal for a move.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::object::{FoundObject, UPLOAD_ID_METADATA};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Upload, has_drifted};
use crate::objects::CopySource;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::delete::{self, Force};

/// A dataset, as it was when the copy was requested.
pub(super) struct Source {
    pub(super) path: DatasetPath,
    pub(super) key: String,
    pub(super) object: FoundObject,
    /// Its upload; `None` if another program wrote the object.
    pub(super) upload: Option<Upload>,
}

impl Source {
    /// Returns the source for the request to the store.
    pub(super) fn version(&self) -> CopySource<'_> {
        CopySource {
            key: &self.key,
            etag: &self.object.etag,
        }
    }

    /// Returns its user metadata, without the id of its upload.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let mut metadata = self.object.metadata.clone();
        metadata.remove(UPLOAD_ID_METADATA);
        metadata
    }

    pub(super) fn not_found(&self) -> Refusal {
        let detail = format!("There is no object at {}.", self.path);
        Refusal::new(Code::DatasetNotFound, detail)
    }

    pub(super) fn drifted(&self) -> Refusal {
        Refusal {
            upload_id: self.upload.as_ref().map(|upload| upload.id),
            ..Refusal::new(
                Code::DatasetDrifted,
                format!(
                    "The object at {} is no longer the proven one: it is not copied.",
                    self.path
                ),
            )
        }
    }
}

impl Broker {
    /// Finds the dataset at `from`. To be moved, it must belong to an upload that may be deleted.
    pub(super) async fn find_source(
        &self,
        principal: &Principal,
        from: &DatasetPath,
        moves: bool,
    ) -> Result<Source> {
        let (key, object) = self.find_object(principal, from).await?;
        let mut connection = self.connection().await?;
        let upload =
            uploads::find_acknowledged(&mut connection, &principal.tenant, &[from.as_str()])
                .await?
                .pop();
        drop(connection);
        let source = Source {
            path: from.clone(),
            key,
            object,
            upload,
        };
        if has_drifted(source.upload.as_ref(), &source.object.etag) {
            return Err(source.drifted().into());
        }
        if moves {
            ensure_removable(&source)?;
        }
        Ok(source)
    }

    /// Deletes the source upload after the copy. An object that has replaced it is kept.
    pub(super) async fn remove(
        self: &Arc<Self>,
        principal: &Principal,
        original: &Upload,
    ) -> Result<Option<Upload>> {
        match delete::by_id(self, principal, original.id, Force::No).await {
            Ok(removed) => Ok(Some(removed)),
            Err(Error::Refused(refusal)) if is_already_gone(&refusal) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes the dataset at `from` if `copy` was made from it, but not if it was created later.
    pub(super) async fn remove_copied(
        self: &Arc<Self>,
        principal: &Principal,
        from: &DatasetPath,
        copy: &Upload,
    ) -> Result<Option<Upload>> {
        let mut connection = self.connection().await?;
        let current =
            uploads::find_acknowledged(&mut connection, &principal.tenant, &[from.as_str()])
                .await?
                .pop();
        drop(connection);
        let is_older =
            |upload: &Upload| (upload.uploaded_at).is_some_and(|at| at <= copy.created_at);
        match current.filter(is_older) {
            Some(original) => self.remove(principal, &original).await,
            None => Ok(None),
        }
    }
}

/// Whether the refusal means that the copied version is no longer at the source.
fn is_already_gone(refusal: &Refusal) -> bool {
    match refusal.code {
        Code::DatasetDrifted => true,
        Code::InvalidStatus => matches!(
            refusal.status,
            Some(Status::Superseded | Status::Deleting | Status::Deleted)
        ),
        _ => false,
    }
}

fn ensure_removable(source: &Source) -> Result<(), Refusal> {
    let Some(upload) = &source.upload else {
        return Err(Refusal::new(
            Code::DatasetNotFound,
            format!(
                "There is no upload for {}: the broker does not delete what another program wrote. Copy it without move.",
                source.path
            ),
        ));
    };
    match Transition::StartDelete.allows(upload.status) {
        true => Ok(()),
        false => Err(Refusal::wrong_status(
            upload.id,
            upload.status,
            Transition::StartDelete,
        )),
    }
}
