//! Finds the upload of an Uppy client by what the store calls it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Finds the upload of this tenant that an Uppy client created, and whose multipart upload the store
/// knows by this key and this id.
pub async fn find_of_uppy(
    connection: &mut Connection,
    tenant: &str,
    key: &str,
    s3_upload_id: &str,
) -> Result<Option<Upload>> {
    let row = uploads::table
        .filter(uploads::s3_upload_id.eq(s3_upload_id))
        .filter(uploads::tenant.eq(tenant))
        .filter(uploads::key.eq(key))
        .filter(uploads::by_uppy)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Row::into_upload).transpose()
}
