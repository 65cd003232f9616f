//! Changes of a multipart upload while it is open.

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

/// Replaces the multipart upload `before` of a Pending upload by another one. Returns `false` if
/// the upload is not Pending, or its multipart upload was replaced already.
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

/// The values that the client expects in its acknowledge. They are saved before the object is
/// assembled, so that any later proof checks all of them.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedValues<'a> {
    /// The new name, if it changes.
    pub name: Option<&'a str>,
    /// The new comments, if they change.
    pub comments: Option<&'a str>,
    /// The new metadata, which replaces the old, if it changes.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// What was declared at create and with the acknowledge.
    pub declared: &'a Declared,
}

/// SQL: the start of a CASE expression for rows whose checksum was declared by the client for the
/// whole object. A composite checksum (`digest-parts`) was computed from the parts; it has a `-`,
/// which is not a base64 digit.
const IF_DECLARED: &str = "CASE WHEN uploads.checksum_value NOT LIKE '%-%' ";

/// Reverts what [`add_expected_values`] has added to `before`, because no object was assembled.
/// Values that another caller has added are kept.
pub async fn revert_expected_values(
    connection: &mut Connection,
    id: Uuid,
    before: &Declared,
    added: &Declared,
) -> Result<()> {
    let invalid =
        |cause: std::num::TryFromIntError| diesel::result::Error::SerializationError(cause.into());
    let size = |declared: &Declared| declared.size.map(i64::try_from).transpose();
    let sizes = (
        size(before).map_err(invalid)?,
        size(added).map_err(invalid)?,
    );
    let checksum = before.checksum.as_ref();
    let added = added.checksum.as_ref();
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq(Status::Pending.as_str()))
        .filter(uploads::size.is_not_distinct_from(sizes.1))
        .filter(uploads::checksum_value.is_not_distinct_from(added.map(|added| added.value())));
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

/// Adds expected values to an upload that may still be acknowledged. A size or checksum that was
/// declared before is not changed.
///
/// Returns `false`, without changes, if the upload cannot be acknowledged any more or its lease was
/// lost.
pub async fn add_expected_values(
    connection: &mut Connection,
    upload: &Upload,
    expected: &ExpectedValues<'_>,
) -> Result<bool> {
    let from = Transition::Acknowledge.from().iter();
    let row = uploads::table
        .filter(uploads::id.eq(upload.id))
        .filter(is_held_under(upload.lease_token))
        .filter(uploads::status.eq_any(from.map(|status| status.as_str())));
    let invalid = |cause| diesel::result::Error::SerializationError(cause);
    let size = expected.declared.size.map(i64::try_from).transpose();
    let metadata = expected.metadata.map(serde_json::to_value).transpose();
    let checksum = expected.declared.checksum.as_ref();
    let rows = diesel::update(row)
        .set((
            // `None` leaves a column unchanged.
            expected.name.map(|name| uploads::name.eq(name)),
            expected
                .comments
                .map(|comments| uploads::comments.eq(comments)),
            (metadata.map_err(|cause| invalid(cause.into()))?)
                .map(|metadata| uploads::metadata.eq(metadata)),
            // Values that another caller has added meanwhile are kept, as if this row had been read
            // a moment later.
            (size.map_err(|cause| invalid(cause.into()))?).map(|size| {
                let first = sql::<Nullable<BigInt>>("COALESCE(uploads.size, ");
                uploads::size.eq(first.bind::<BigInt, _>(size).sql(")"))
            }),
            checksum.map(|checksum| {
                let algorithm = sql::<Nullable<Text>>(IF_DECLARED);
                let algorithm = algorithm.sql("THEN uploads.checksum_algorithm ELSE ");
                let value = sql::<Nullable<Text>>(IF_DECLARED);
                let value = value.sql("THEN uploads.checksum_value ELSE ");
                let (name, digest) = (checksum.algorithm().as_str(), checksum.value());
                (
                    uploads::checksum_algorithm.eq(algorithm.bind::<Text, _>(name).sql(" END")),
                    uploads::checksum_value.eq(value.bind::<Text, _>(digest).sql(" END")),
                )
            }),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// The columns of an upload that are compared with the multipart uploads that the store lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUploadRow {
    /// The id of the multipart upload at the store.
    pub s3_upload_id: String,
    /// The upload.
    pub id: Uuid,
    /// The tenant of the upload.
    pub tenant: String,
    /// The path, as the tenant sees it.
    pub path: String,
    /// The status of the upload.
    pub status: Status,
    /// When the upload last changed.
    pub updated_at: DateTime<Utc>,
}

/// Finds the uploads, of any tenant, that these multipart uploads of the store belong to.
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
