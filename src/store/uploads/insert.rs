//! Inserts any number of new rows in one statement.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Int4, Int8, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::upload::{Upload, WriteRule};
use crate::store::columns::{bind_arrays, each, json, try_each};
use crate::store::{Connection, Result};

/// Which rows are inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertMode {
    /// The fast path: rows of tenants without quotas. Rows of a tenant that another transaction has
    /// locked, because the tenant is about to get a quota, are deferred instead of waiting for the
    /// lock.
    FastPath,
    /// The slow path: rows of tenants without quotas, waiting for locked tenants.
    SlowPath,
    /// Rows of tenants with quotas. They are counted from now on and added to the usage of the
    /// tenants. The transaction of the caller holds [`crate::store::quotas::lock_usage`], and has
    /// checked that the quotas allow them.
    WithQuota,
}

/// Inserts Pending rows, and returns the ids of those that were inserted. A row is left out if
/// there is an acknowledged upload at its path that it may not replace, or if the [`InsertMode`]
/// excludes it.
///
/// The conditions and the inserts are one statement, so that nothing can change in between, and it
/// needs only one round trip. If the table refuses one row, all of them fail.
pub async fn insert(
    connection: &mut Connection,
    new: &[Upload],
    how: InsertMode,
) -> Result<HashSet<Uuid>> {
    if new.is_empty() {
        return Ok(HashSet::new());
    }
    let written: Vec<Uuid> = match how {
        InsertMode::FastPath => Insert::<true, false>::new(new)?.load(connection).await?,
        InsertMode::SlowPath => Insert::<false, false>::new(new)?.load(connection).await?,
        InsertMode::WithQuota => Insert::<false, true>::new(new)?.load(connection).await?,
    };
    Ok(written.into_iter().collect())
}

/// The rows, column by column: one prepared statement works for arrays of any length.
///
/// With `SKIP`, rows of locked tenants are skipped. With `COUNTED`, the rows are those of tenants
/// with quotas and are added to their usage.
struct Insert<'a, const SKIP: bool, const COUNTED: bool> {
    ids: Vec<Uuid>,
    tenants: Vec<&'a str>,
    paths: Vec<&'a str>,
    buckets: Vec<&'a str>,
    keys: Vec<&'a str>,
    names: Vec<&'a str>,
    comments: Vec<Option<&'a str>>,
    metadata: Vec<String>,
    content_types: Vec<&'a str>,
    sizes: Vec<Option<i64>>,
    checksum_algorithms: Vec<Option<&'static str>>,
    checksum_values: Vec<Option<&'a str>>,
    may_replace: Vec<bool>,
    if_match: Vec<Option<&'a str>>,
    headers: Vec<String>,
    lifetimes: Vec<i32>,
    s3_upload_ids: Vec<Option<&'a str>>,
    part_sizes: Vec<Option<i64>>,
    part_counts: Vec<Option<i32>>,
    part_checksums: Vec<Option<&'static str>>,
    max_sizes: Vec<Option<i64>>,
    derived_from: Vec<Option<Uuid>>,
    by_uppy: Vec<bool>,
    arrival_check_at: Vec<Option<DateTime<Utc>>>,
    created_at: Vec<DateTime<Utc>>,
    updated_at: Vec<DateTime<Utc>>,
    expires_at: Vec<DateTime<Utc>>,
}

impl<'a, const SKIP: bool, const COUNTED: bool> Insert<'a, SKIP, COUNTED> {
    fn new(new: &'a [Upload]) -> Result<Self> {
        let size = |upload: &Upload| upload.declared.size.map(i64::try_from).transpose();
        let lifetime = |upload: &Upload| i32::try_from(upload.lifetime_seconds);
        let checksum = |upload: &'a Upload| upload.declared.checksum.as_ref();
        let multipart = |upload: &'a Upload| upload.multipart.as_ref();
        Ok(Self {
            ids: each(new, |upload| upload.id),
            tenants: each(new, |upload| &*upload.tenant),
            paths: each(new, |upload| upload.path.as_str()),
            buckets: each(new, |upload| &*upload.bucket),
            keys: each(new, |upload| &*upload.key),
            names: each(new, |upload| &*upload.name),
            comments: each(new, |upload| upload.comments.as_deref()),
            metadata: try_each(new, |upload| json(&upload.metadata))?,
            content_types: each(new, |upload| &*upload.declared.content_type),
            sizes: try_each(new, size)?,
            checksum_algorithms: each(new, |upload| {
                checksum(upload).map(|checksum| checksum.algorithm().as_str())
            }),
            checksum_values: each(new, |upload| {
                checksum(upload).map(|checksum| checksum.value())
            }),
            may_replace: each(new, |upload| upload.write.may_replace()),
            if_match: each(new, |upload| match &upload.write {
                WriteRule::Replace { etag } => Some(&**etag),
                WriteRule::CreateOnly | WriteRule::Overwrite => None,
            }),
            headers: try_each(new, |upload| json(&upload.headers))?,
            lifetimes: try_each(new, lifetime)?,
            s3_upload_ids: each(new, |upload| Some(&*multipart(upload)?.s3_upload_id)),
            part_sizes: try_each(new, |upload| {
                let size = multipart(upload).map(|multipart| multipart.part_size);
                size.map(i64::try_from).transpose()
            })?,
            part_counts: try_each(new, |upload| {
                let count = multipart(upload).and_then(|multipart| multipart.part_count);
                count.map(i32::try_from).transpose()
            })?,
            part_checksums: each(new, |upload| {
                Some(multipart(upload)?.part_checksums?.as_str())
            }),
            max_sizes: try_each(new, |upload| upload.max_size.map(i64::try_from).transpose())?,
            derived_from: each(new, |upload| upload.derived_from),
            by_uppy: each(new, |upload| upload.by_uppy),
            arrival_check_at: each(new, |upload| upload.arrival_check_at),
            created_at: each(new, |upload| upload.created_at),
            updated_at: each(new, |upload| upload.updated_at),
            expires_at: each(new, |upload| upload.expires_at),
        })
    }
}

impl<const SKIP: bool, const COUNTED: bool> QueryFragment<Pg> for Insert<'_, SKIP, COUNTED> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // The usage row of the tenant is locked and was read before, so no other transaction adds
        // to it meanwhile.
        if COUNTED {
            out.push_sql("WITH written AS (");
        }
        out.push_sql(
            "INSERT INTO uploads (status, counted, id, tenant, path, bucket, key, name, comments, metadata, \
             content_type, size, checksum_algorithm, checksum_value, overwrite, if_match, headers, \
             lifetime_seconds, s3_upload_id, part_size, part_count, part_checksums, max_size, \
             derived_from, by_uppy, arrival_check_at, created_at, updated_at, expires_at) \
             SELECT 'Pending', ",
        );
        out.push_sql(if COUNTED { "true" } else { "false" });
        out.push_sql(
            ", id, tenant, path, new.bucket, key, new.name, comments, metadata::jsonb, \
             content_type, size, checksum_algorithm, checksum_value, overwrite, if_match, headers::jsonb, \
             lifetime_seconds, s3_upload_id, part_size, part_count, part_checksums, new.max_size, \
             new.derived_from, new.by_uppy, new.arrival_check_at, new.created_at, updated_at, expires_at FROM unnest(",
        );
        bind_arrays!(out,
            SqlUuid: &self.ids,
            Text: &self.tenants,
            Text: &self.paths,
            Text: &self.buckets,
            Text: &self.keys,
            Text: &self.names,
            Nullable<Text>: &self.comments,
            Text: &self.metadata,
            Text: &self.content_types,
            Nullable<Int8>: &self.sizes,
            Nullable<Text>: &self.checksum_algorithms,
            Nullable<Text>: &self.checksum_values,
            Bool: &self.may_replace,
            Nullable<Text>: &self.if_match,
            Text: &self.headers,
            Int4: &self.lifetimes,
            Nullable<Text>: &self.s3_upload_ids,
            Nullable<Int8>: &self.part_sizes,
            Nullable<Int4>: &self.part_counts,
            Nullable<Text>: &self.part_checksums,
            Nullable<Int8>: &self.max_sizes,
            Nullable<SqlUuid>: &self.derived_from,
            Bool: &self.by_uppy,
            Nullable<Timestamptz>: &self.arrival_check_at,
            Timestamptz: &self.created_at,
            Timestamptz: &self.updated_at,
            Timestamptz: &self.expires_at,
        );
        out.push_sql(
            ") AS new (id, tenant, path, bucket, key, name, comments, metadata, content_type, size, \
             checksum_algorithm, checksum_value, overwrite, if_match, headers, lifetime_seconds, \
             s3_upload_id, part_size, part_count, part_checksums, max_size, derived_from, by_uppy, \
             arrival_check_at, created_at, updated_at, expires_at) JOIN tenants ON tenants.name = new.tenant \
             WHERE (overwrite OR NOT EXISTS (SELECT 1 FROM uploads standing \
             WHERE standing.tenant = new.tenant AND standing.path = new.path \
             AND standing.status IN ('Uploaded', 'Processing', 'Processed'))) \
             AND (tenants.quota_bytes IS NOT NULL OR tenants.quota_open_uploads IS NOT NULL) = ",
        );
        out.push_sql(if COUNTED { "true" } else { "false" });
        // The foreign key takes this lock anyway. It is taken before the tenant is read, so that a
        // transaction that waited for a change of the quotas sees the change.
        out.push_sql(match SKIP {
            true => " FOR KEY SHARE OF tenants SKIP LOCKED RETURNING id",
            false => " FOR KEY SHARE OF tenants RETURNING id",
        });
        if COUNTED {
            out.push_sql(
                ", tenant, size), taken AS (UPDATE quota_usage SET \
                 bytes = quota_usage.bytes + more.bytes, \
                 open_uploads = quota_usage.open_uploads + more.opened \
                 FROM (SELECT tenant, coalesce(sum(size), 0)::bigint AS bytes, \
                              count(*) AS opened FROM written GROUP BY tenant) AS more \
                 WHERE quota_usage.tenant = more.tenant) SELECT id FROM written",
            );
        }
        Ok(())
    }
}

impl<const SKIP: bool, const COUNTED: bool> QueryId for Insert<'_, SKIP, COUNTED> {
    type QueryId = Insert<'static, SKIP, COUNTED>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const SKIP: bool, const COUNTED: bool> Query for Insert<'_, SKIP, COUNTED> {
    type SqlType = SqlUuid;
}
