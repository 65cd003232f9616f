//! New rows.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{Bool, Int4, Int8, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::status::Status;
use crate::domain::upload::{Upload, WriteRule};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Adds a Pending row, unless its path is taken and it may not replace: then `false`.
///
/// The question and the row are one statement, so nothing comes between them, and one round trip.
pub async fn insert(connection: &mut Connection, upload: &Upload) -> Result<bool> {
    let rows = Insert::of(upload)?.execute(connection).await?;
    Ok(rows == 1)
}

/// Moves the deadline of a Pending upload to `until`, never back. `false` where it is not Pending.
pub async fn extend(connection: &mut Connection, id: Uuid, until: DateTime<Utc>) -> Result<bool> {
    let pending = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq(Status::Pending.as_str()));
    let rows = diesel::update(pending)
        .set(uploads::expires_at.eq(greatest(uploads::expires_at, until)))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The later of two times.
    fn greatest(one: Timestamptz, other: Timestamptz) -> Timestamptz;
}

/// Diesel's own INSERT … SELECT cannot select bound values; a fragment of our own can, and is
/// prepared once a connection like any other.
struct Insert<'a> {
    upload: &'a Upload,
    metadata: Value,
    headers: Value,
    size: Option<i64>,
    lifetime_seconds: i32,
    checksum_algorithm: Option<&'static str>,
    checksum_value: Option<&'a str>,
    if_match: Option<&'a str>,
    may_replace: bool,
}

impl<'a> Insert<'a> {
    fn of(upload: &'a Upload) -> Result<Self> {
        let unwritable = |cause| Error::SerializationError(cause);
        let checksum = upload.declared.checksum.as_ref();
        Ok(Self {
            upload,
            metadata: serde_json::to_value(&upload.metadata).map_err(|e| unwritable(e.into()))?,
            headers: serde_json::to_value(&upload.headers).map_err(|e| unwritable(e.into()))?,
            size: (upload.declared.size.map(i64::try_from).transpose())
                .map_err(|e| unwritable(e.into()))?,
            lifetime_seconds: i32::try_from(upload.lifetime_seconds)
                .map_err(|e| unwritable(e.into()))?,
            checksum_algorithm: checksum.map(|checksum| checksum.algorithm().as_str()),
            checksum_value: checksum.map(|checksum| checksum.value()),
            if_match: match &upload.write {
                WriteRule::Replace { etag } => Some(etag),
                WriteRule::CreateOnly | WriteRule::Overwrite => None,
            },
            may_replace: upload.write.may_replace(),
        })
    }
}

impl QueryFragment<Pg> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let upload = self.upload;
        out.push_sql(
            "INSERT INTO uploads (status, id, tenant, path, bucket, key, name, comments, metadata, \
             content_type, size, checksum_algorithm, checksum_value, overwrite, if_match, headers, \
             lifetime_seconds, created_at, updated_at, expires_at) SELECT 'Pending', ",
        );
        macro_rules! bind {
            ($($sql_type:ty : $value:expr),+ $(,)?) => {$(
                out.push_bind_param::<$sql_type, _>($value)?;
                out.push_sql(", ");
            )+};
        }
        bind!(
            SqlUuid: &upload.id,
            Text: &upload.tenant,
            Text: upload.path.as_str(),
            Text: &upload.bucket,
            Text: &upload.key,
            Text: &upload.name,
            Nullable<Text>: &upload.comments,
            Jsonb: &self.metadata,
            Text: &upload.declared.content_type,
            Nullable<Int8>: &self.size,
            Nullable<Text>: &self.checksum_algorithm,
            Nullable<Text>: &self.checksum_value,
            Bool: &self.may_replace,
            Nullable<Text>: &self.if_match,
            Jsonb: &self.headers,
            Int4: &self.lifetime_seconds,
            Timestamptz: &upload.created_at,
            Timestamptz: &upload.updated_at,
        );
        out.push_bind_param::<Timestamptz, _>(&upload.expires_at)?;
        out.push_sql(" WHERE ");
        out.push_bind_param::<Bool, _>(&self.may_replace)?;
        out.push_sql(" OR NOT EXISTS (SELECT 1 FROM uploads WHERE tenant = ");
        out.push_bind_param::<Text, _>(&upload.tenant)?;
        out.push_sql(" AND path = ");
        out.push_bind_param::<Text, _>(upload.path.as_str())?;
        out.push_sql(" AND status IN ('Uploaded', 'Processing', 'Processed'))");
        Ok(())
    }
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl diesel::query_builder::Query for Insert<'_> {
    type SqlType = diesel::sql_types::Untyped;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Insert<'_> {}
