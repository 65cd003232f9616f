//! The optimistic version of a path, which changes with every acknowledge at the path.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::path::{DatasetPath, parent_folders};
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::columns::{bind_arrays, each};
use crate::store::{Connection, Result, removals};

/// A path of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantPath<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The path, as the tenant sees it.
    pub path: &'a str,
}

impl<'a> TenantPath<'a> {
    /// A path of a tenant.
    pub fn new(tenant: &'a str, path: &'a DatasetPath) -> Self {
        let path = path.as_str();
        Self { tenant, path }
    }
}

impl<'a> From<&'a Upload> for TenantPath<'a> {
    fn from(upload: &'a Upload) -> Self {
        Self::new(&upload.tenant, &upload.path)
    }
}

/// The optimistic version of a path: the current upload, or else the upload that was acknowledged
/// last, with its sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathVersion(Option<(Uuid, i32, bool)>);

impl PathVersion {
    /// Without an id, no upload was ever acknowledged at the path.
    fn new(id: Option<Uuid>, sequence: Option<i32>, is_current: bool) -> Self {
        let row = id.zip(sequence);
        Self(row.map(|(id, sequence)| (id, sequence, is_current)))
    }

    /// The current upload of the path, if there is one. A later upload supersedes it.
    pub fn upload(self) -> Option<Uuid> {
        self.0
            .and_then(|(id, _, is_current)| is_current.then_some(id))
    }

    /// Whether the version names this upload and its row has not changed since.
    pub(super) fn names(self, upload: &Upload) -> bool {
        self.0
            .is_some_and(|(id, sequence, _)| (id, sequence) == (upload.id, upload.sequence))
    }
}

/// SQL: the version of a path, as three columns of `current` and `newest`.
const VERSION_COLUMNS: &str = "coalesce(current.id, newest.id), coalesce(current.sequence, newest.sequence), \
     current.id IS NOT NULL";

/// SQL: joins the current row of a path, or else the row that was acknowledged last at the path.
///
/// The second row may have any status that follows an acknowledge, so that an upload that was
/// acknowledged and deleted in between changes the version too. Each row is one index lookup
/// (`uploads_current`, `uploads_acknowledged`), regardless of how many uploads the path had. The
/// second is only read if the first does not exist. Postgres does not derive from the unique index
/// that there is at most one current row: without the limit, it expects as many as the path has rows.
const AT_PATH: &str = " LEFT JOIN LATERAL (SELECT id, sequence FROM uploads \
     WHERE uploads.tenant = place.tenant AND uploads.path = place.path \
     AND uploads.status IN ('Uploaded', 'Processing', 'Processed') LIMIT 1) current ON true \
     LEFT JOIN LATERAL (SELECT id, sequence FROM uploads \
     WHERE current.id IS NULL AND uploads.tenant = place.tenant AND uploads.path = place.path \
     AND uploads.uploaded_at IS NOT NULL \
     ORDER BY uploads.uploaded_at DESC, uploads.id DESC LIMIT 1) newest ON true";

/// The state of the path of an upload before its object is checked.
#[derive(Clone, Copy, Debug)]
pub struct PathState {
    /// The version of the path.
    pub version: PathVersion,
    /// Whether the key of the upload is by now under the key prefix of another tenant.
    pub in_other_tenants_prefix: bool,
}

/// Reads the state of the path of `upload`.
pub async fn read_path_state(connection: &mut Connection, upload: &Upload) -> Result<PathState> {
    let query = ReadPath {
        path: TenantPath::from(upload),
        folders: parent_folders(&upload.key).collect(),
    };
    let (id, sequence, is_current, in_other_tenants_prefix) = query.get_result(connection).await?;
    let version = PathVersion::new(id, sequence, is_current);
    Ok(PathState {
        version,
        in_other_tenants_prefix,
    })
}

/// The state of the path of a candidate, read while the rows are locked.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockedState {
    /// The version of the path.
    pub version: PathVersion,
    /// Whether wrong objects at the path count against the quota.
    pub has_wrong_objects: bool,
    /// Whether the object of the candidate is being removed.
    pub is_being_removed: bool,
}

/// An upload that is about to be acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    /// The upload.
    pub upload: &'a Upload,
    /// The ETag of its proven object.
    pub etag: &'a str,
    /// The current time.
    pub at: DateTime<Utc>,
}

/// Reads the states of the paths of those `candidates` whose row has one of the statuses `from`
/// and, if they have a lease, still has this lease.
///
/// The caller holds the locks of the rows. This must be a statement of its own, so that it sees
/// everything that was committed before the locks were taken.
pub(super) async fn read_locked(
    connection: &mut Connection,
    candidates: &[Candidate<'_>],
    from: &[Status],
) -> Result<HashMap<Uuid, LockedState>> {
    let query = ReadLockedPaths {
        from: each(from, |status| status.as_str()),
        ids: each(candidates, |one| one.upload.id),
        tenants: each(candidates, |one| &*one.upload.tenant),
        paths: each(candidates, |one| one.upload.path.as_str()),
        lease_tokens: each(candidates, |one| one.upload.lease_token),
        etags: each(candidates, |one| one.etag),
        at: each(candidates, |one| one.at),
    };
    let found: Vec<Found> = query.load(connection).await?;
    let state = |(own, id, sequence, is_current, has_wrong_objects, is_being_removed): Found| {
        let state = LockedState {
            version: PathVersion::new(id, sequence, is_current),
            has_wrong_objects,
            is_being_removed,
        };
        (own, state)
    };
    Ok(found.into_iter().map(state).collect())
}

type Found = (Uuid, Option<Uuid>, Option<i32>, bool, bool, bool);

struct ReadPath<'a> {
    path: TenantPath<'a>,
    folders: Vec<&'a str>,
}

struct ReadLockedPaths<'a> {
    from: Vec<&'static str>,
    ids: Vec<Uuid>,
    tenants: Vec<&'a str>,
    paths: Vec<&'a str>,
    lease_tokens: Vec<Option<Uuid>>,
    etags: Vec<&'a str>,
    at: Vec<DateTime<Utc>>,
}

impl QueryFragment<Pg> for ReadPath<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(VERSION_COLUMNS);
        out.push_sql(
            ", EXISTS (SELECT FROM tenants WHERE tenants.name <> place.tenant \
             AND tenants.key_prefix = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.folders)?;
        // With the path as a constant, Postgres would plan for all rows that a path with many versions
        // ever had, and might scan the table for the first of them.
        out.push_sql(")) FROM unnest(ARRAY[");
        out.push_bind_param::<Text, _>(self.path.tenant)?;
        out.push_sql("], ARRAY[");
        out.push_bind_param::<Text, _>(self.path.path)?;
        out.push_sql("]) AS place (tenant, path)");
        out.push_sql(AT_PATH);
        Ok(())
    }
}

impl QueryFragment<Pg> for ReadLockedPaths<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT own.id, ");
        out.push_sql(VERSION_COLUMNS);
        out.push_sql(
            ", EXISTS (SELECT FROM uploads WHERE uploads.tenant = place.tenant \
             AND uploads.path = place.path AND uploads.unproven_size IS NOT NULL), ",
        );
        removals::push_is_in_progress(&mut out, "own", "place");
        out.push_sql(" FROM unnest(");
        bind_arrays!(
            out,
            SqlUuid: &self.ids,
            Text: &self.tenants,
            Text: &self.paths,
            Nullable<SqlUuid>: &self.lease_tokens,
            Text: &self.etags,
            Timestamptz: &self.at,
        );
        out.push_sql(
            ") AS place (id, tenant, path, lease_token, etag, at) JOIN uploads own ON own.id = place.id \
             AND (place.lease_token IS NULL OR own.holder = place.lease_token) AND own.status = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.from)?;
        out.push_sql(")");
        out.push_sql(AT_PATH);
        Ok(())
    }
}

impl QueryId for ReadPath<'_> {
    type QueryId = ReadPath<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for ReadLockedPaths<'_> {
    type QueryId = ReadLockedPaths<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for ReadPath<'_> {
    type SqlType = (Nullable<SqlUuid>, Nullable<Int4>, Bool, Bool);
}

impl Query for ReadLockedPaths<'_> {
    type SqlType = (SqlUuid, Nullable<SqlUuid>, Nullable<Int4>, Bool, Bool, Bool);
}
