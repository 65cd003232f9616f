//! What changes of an upload in parts while it is under way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::is_held_under;
use crate::domain::proof::Declared;
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Multipart, Upload};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Changes a Pending upload over from the multipart upload `before` to another one. `false` where
/// it is not Pending, or was changed over already.
pub async fn replace_multipart(
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
pub struct ExpectedValues<'a> {
    /// A new name.
    pub name: Option<&'a str>,
    /// New comments.
    pub comments: Option<&'a str>,
    /// New metadata, in place of the old.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// Everything that was promised, then and now.
    pub declared: &'a Declared,
}

/// A checksum that a client promised of the whole: a composite one was told by the parts, and has
/// the only `-` of base64 (`digest-parts`).
const IS_PROMISED: &str = "CASE WHEN uploads.checksum_value NOT LIKE '%-%' ";

/// Takes back what [`promise_more`] added to `before`: nothing was made of it. What another caller
/// promised stays.
pub async fn revert_expected_values(
    connection: &mut Connection,
    id: Uuid,
    before: &Declared,
    promised: &Declared,
) -> Result<()> {
    let invalid =
        |cause: std::num::TryFromIntError| diesel::result::Error::SerializationError(cause.into());
    let size = |declared: &Declared| declared.size.map(i64::try_from).transpose();
    let sizes = (
        size(before).map_err(invalid)?,
        size(promised).map_err(invalid)?,
    );
    let checksum = before.checksum.as_ref();
    let promised = promised.checksum.as_ref();
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq(Status::Pending.as_str()))
        .filter(uploads::size.is_not_distinct_from(sizes.1))
        .filter(
            uploads::checksum_value.is_not_distinct_from(promised.map(|promised| promised.value())),
        );
    diesel::update(row)
        .set((
            uploads::size.eq(sizes.0),
            uploads::checksum_algorithm.eq(checksum.map(|checksum| checksum.algorithm().as_str())),
            uploads::checksum_value.eq(checksum.map(|checksum| checksum.value())),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds to the promise of an upload that may still be acknowledged, and says whether it did: another
/// one, and one whose lease was lost, is left alone. A size or checksum that was promised before
/// holds.
pub async fn add_expected_values(
    connection: &mut Connection,
    upload: &Upload,
    promise: &ExpectedValues<'_>,
) -> Result<bool> {
    let from = Transition::Acknowledge.from().iter();
    let row = uploads::table
        .filter(uploads::id.eq(upload.id))
        .filter(is_held_under(upload.lease_token))
        .filter(uploads::status.eq_any(from.map(|status| status.as_str())));
    let invalid = |cause| diesel::result::Error::SerializationError(cause);
    let size = promise.declared.size.map(i64::try_from).transpose();
    let metadata = promise.metadata.map(serde_json::to_value).transpose();
    let checksum = promise.declared.checksum.as_ref();
    let rows = diesel::update(row)
        .set((
            // `None` leaves a column alone.
            promise.name.map(|name| uploads::name.eq(name)),
            promise
                .comments
                .map(|comments| uploads::comments.eq(comments)),
            (metadata.map_err(|cause| invalid(cause.into()))?)
                .map(|metadata| uploads::metadata.eq(metadata)),
            // What another caller promised meanwhile holds, as it would have with a row that was
            // read a moment later.
            (size.map_err(|cause| invalid(cause.into()))?).map(|size| {
                let first = sql::<Nullable<BigInt>>("COALESCE(uploads.size, ");
                uploads::size.eq(first.bind::<BigInt, _>(size).sql(")"))
            }),
            checksum.map(|checksum| {
                let algorithm = sql::<Nullable<Text>>(IS_PROMISED);
                let algorithm = algorithm.sql("THEN uploads.checksum_algorithm ELSE ");
                let value = sql::<Nullable<Text>>(IS_PROMISED);
                let value = value.sql("THEN uploads.checksum_value ELSE ");
                let (name, told) = (checksum.algorithm().as_str(), checksum.value());
                (
                    uploads::checksum_algorithm.eq(algorithm.bind::<Text, _>(name).sql(" END")),
                    uploads::checksum_value.eq(value.bind::<Text, _>(told).sql(" END")),
                )
            }),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// An upload in parts, as far as the store's listing can be held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUploadRow {
    /// The store's id of it.
    pub s3_upload_id: String,
    /// The upload.
    pub id: Uuid,
    /// Tenants it is.
    pub tenant: String,
    /// The path there.
    pub path: String,
    /// Where it is in its life.
    pub status: Status,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The uploads, of any tenant, that these multipart uploads of the store are for.
pub async fn find_by_s3_upload_ids(
    connection: &mut Connection,
    ids: &[&str],
) -> Result<Vec<MultipartUploadRow>> {
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
        Ok(MultipartUploadRow {
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
