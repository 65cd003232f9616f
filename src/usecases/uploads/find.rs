//! Finds uploads that a caller may see.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Finds an upload of the caller's tenant, within the folder that the caller is confined to. Any
/// other upload does not exist for the caller.
pub(in crate::usecases) async fn by_id(
    connection: &mut Connection,
    principal: &Principal,
    id: Uuid,
) -> Result<Upload> {
    let upload = uploads::find_by_id(connection, &principal.tenant, id).await?;
    Ok(known(principal, id, upload)?)
}

fn known(principal: &Principal, id: Uuid, upload: Option<Upload>) -> Result<Upload, Refusal> {
    let visible = upload.filter(|upload| principal.jail.admits(&upload.path));
    visible.ok_or_else(|| Refusal::no_upload(id))
}

/// Finds an upload whose bytes the caller sends. Refuses an upload that may become larger than the
/// caller may upload.
pub(in crate::usecases) async fn to_write(
    connection: &mut Connection,
    principal: &Principal,
    id: Uuid,
) -> Result<Upload> {
    let upload = by_id(connection, principal, id).await?;
    may_write(principal, &upload)?;
    Ok(upload)
}

/// Finds many uploads in one query. The results are in the order of `ids`.
pub(in crate::usecases) async fn all(
    connection: &mut Connection,
    principal: &Principal,
    ids: &[Uuid],
) -> Result<Vec<Result<Upload, Refusal>>> {
    let found = uploads::find_by_ids(connection, &principal.tenant, ids).await?;
    let found: HashMap<Uuid, Upload> =
        (found.into_iter().map(|upload| (upload.id, upload))).collect();
    let answers = (ids.iter()).map(|id| known(principal, *id, found.get(id).cloned()));
    Ok(answers.collect())
}

/// Finds many uploads whose bytes the caller sends.
pub(in crate::usecases) async fn all_to_write(
    connection: &mut Connection,
    principal: &Principal,
    ids: &[Uuid],
) -> Result<Vec<Result<Upload, Refusal>>> {
    let found = all(connection, principal, ids).await?;
    let answers = found.into_iter().map(|upload| {
        let upload = upload?;
        may_write(principal, &upload)?;
        Ok(upload)
    });
    Ok(answers.collect())
}

/// Refuses an upload that may become larger than the caller may upload.
pub(in crate::usecases) fn may_write(
    principal: &Principal,
    upload: &Upload,
) -> Result<(), Refusal> {
    match principal.bounds.max_size {
        Some(most) if !principal.bounds.admits_size_of(upload) => Err(Refusal {
            upload_id: Some(upload.id),
            status: Some(upload.status),
            ..Refusal::new(
                Code::SizeLimitExceeded,
                format!(
                    "The upload may become larger than the {most} bytes that this credential may upload."
                ),
            )
        }),
        _ => Ok(()),
    }
}

/// Refuses, with `code`, a path outside the caller's folder or without an upload.
pub(in crate::usecases) fn visible(
    principal: &Principal,
    path: &DatasetPath,
    found: Option<Upload>,
    code: Code,
) -> Result<Upload, Refusal> {
    found
        .filter(|_| principal.jail.admits(path))
        .ok_or_else(|| Refusal::new(code, format!("There is no upload for {path}.")))
}

impl Broker {
    /// Reads the upload again, and keeps its lease.
    pub(in crate::usecases) async fn reload(&self, upload: &Upload) -> Result<Upload> {
        let mut connection = self.connection().await?;
        let now = uploads::find_by_id(&mut connection, &upload.tenant, upload.id)
            .await?
            .ok_or_else(|| Refusal::no_upload(upload.id))?;
        Ok(Upload {
            lease_token: upload.lease_token,
            ..now
        })
    }
}
