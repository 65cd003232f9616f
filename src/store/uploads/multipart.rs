//! What changes of an upload in parts while it is under way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::proof::Declared;
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Multipart;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Changes a Pending upload over from the multipart upload `before` to another one. `false` where
/// it is not Pending, or was changed over already.
pub async fn swap_multipart(
    connection: &mut Connection,
    id: Uuid,
    before: &str,
    now: &Multipart,
) -> Result<bool> {
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq(Status::Pending.as_str()))
        .filter(uploads::s3_upload_id.eq(before));
    let algorithm = now.part_checksums.map(|algorithm| algorithm.as_str());
    let rows = diesel::update(row)
        .set((
            uploads::s3_upload_id.eq(&now.s3_upload_id),
            uploads::part_checksums.eq(algorithm),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// What a client says with its acknowledge, kept before the object is made: whoever proves it then,
/// proves all of it.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'a> {
    /// A new name.
    pub name: Option<&'a str>,
    /// New comments.
    pub comments: Option<&'a str>,
    /// New metadata, in place of the old.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// Everything that was promised, then and now.
    pub declared: &'a Declared,
}

/// Adds to the promise of an upload that may still be acknowledged; another one is left alone.
pub async fn promise_more(
    connection: &mut Connection,
    id: Uuid,
    promise: &Promise<'_>,
) -> Result<()> {
    let from = Transition::Acknowledge.from().iter();
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq_any(from.map(|status| status.as_str())));
    let invalid = |cause| diesel::result::Error::SerializationError(cause);
    let size = promise.declared.size.map(i64::try_from).transpose();
    let metadata = promise.metadata.map(serde_json::to_value).transpose();
    let checksum = promise.declared.checksum.as_ref();
    diesel::update(row)
        .set((
            // `None` leaves a column alone.
            promise.name.map(|name| uploads::name.eq(name)),
            promise
                .comments
                .map(|comments| uploads::comments.eq(comments)),
            (metadata.map_err(|cause| invalid(cause.into()))?)
                .map(|metadata| uploads::metadata.eq(metadata)),
            (size.map_err(|cause| invalid(cause.into()))?).map(|size| uploads::size.eq(size)),
            // Nor does it take back what another caller promised meanwhile.
            checksum.map(|checksum| {
                (
                    uploads::checksum_algorithm.eq(checksum.algorithm().as_str()),
                    uploads::checksum_value.eq(checksum.value()),
                )
            }),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// An upload in parts, as far as the store's listing can be held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InParts {
    /// The store's id of it.
    pub s3_upload_id: String,
    /// The upload.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: String,
    /// The path there.
    pub path: String,
    /// Where it is in its life.
    pub status: Status,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The uploads, of any tenant, that these multipart uploads of the store are for.
pub async fn in_parts(connection: &mut Connection, ids: &[&str]) -> Result<Vec<InParts>> {
    type Found = (Option<String>, Uuid, String, String, String, DateTime<Utc>);
    let found: Vec<Found> = uploads::table
        .filter(uploads::s3_upload_id.eq_any(ids))
        .select((
            uploads::s3_upload_id,
            uploads::id,
            uploads::tenant,
            uploads::path,
            uploads::status,
            uploads::updated_at,
        ))
        .load(connection)
        .await?;
    let row = |(s3_upload_id, id, tenant, path, status, updated_at): Found| {
        let unknown = || format!("upload {id} has the status {status:?}");
        let status = status
            .parse()
            .map_err(|_| diesel::result::Error::DeserializationError(unknown().into()))?;
        Ok(InParts {
            s3_upload_id: s3_upload_id.unwrap_or_default(),
            id,
            tenant,
            path,
            status,
            updated_at,
        })
    };
    found.into_iter().map(row).collect()
}
