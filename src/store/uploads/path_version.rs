//! Who is current at a path, as a version that changes with every acknowledge there.

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

/// Where a dataset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantPath<'a> {
    /// Tenants it is.
    pub tenant: &'a str,
    /// As the tenant sees it.
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

/// Who is current at a path, else who was acknowledged last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathVersion(Option<(Uuid, i32, bool)>);

impl PathVersion {
    /// Without an id nothing was ever acknowledged there.
    fn of(id: Option<Uuid>, sequence: Option<i32>, is_current: bool) -> Self {
        let row = id.zip(sequence);
        Self(row.map(|(id, sequence)| (id, sequence, is_current)))
    }

    /// The upload that a later one supersedes, if there is one.
    pub fn upload(self) -> Option<Uuid> {
        self.0
            .and_then(|(id, _, is_current)| is_current.then_some(id))
    }

    /// Whether the version names this upload, as the row is now.
    pub(super) fn is_of(self, upload: &Upload) -> bool {
        self.0
            .is_some_and(|(id, sequence, _)| (id, sequence) == (upload.id, upload.sequence))
    }
}

/// The version of a `place`, as three columns of `current` and `newest`.
const MARK: &str = "coalesce(current.id, newest.id), coalesce(current.sequence, newest.sequence), \
     current.id IS NOT NULL";

/// The current row of a `place`, else the row that was acknowledged last there.
///
/// The second one may be in any state that follows an acknowledge, so that an upload which came and
/// was deleted in between changes the version too. Each is one entry of an index
/// (`uploads_current`, `uploads_acknowledged`), however many versions the path had; the second is
/// read only where the first is missing.
const AT_PLACE: &str = " LEFT JOIN LATERAL (SELECT id, sequence FROM uploads \
     WHERE uploads.tenant = place.tenant AND uploads.path = place.path \
     AND uploads.status IN ('Uploaded', 'Processed')) current ON true \
     LEFT JOIN LATERAL (SELECT id, sequence FROM uploads \
     WHERE current.id IS NULL AND uploads.tenant = place.tenant AND uploads.path = place.path \
     AND uploads.uploaded_at IS NOT NULL \
     ORDER BY uploads.uploaded_at DESC, uploads.id DESC LIMIT 1) newest ON true";

/// The state of an upload's place before its object is read.
#[derive(Clone, Copy, Debug)]
pub struct PathState {
    /// The version of its path. See [`PathVersion`].
    pub version: PathVersion,
    /// Whether its key lies under the key prefix of another tenant by now.
    pub in_other_tenants_prefix: bool,
}

/// Reads the state of the place of `upload`.
pub async fn read_path_state(connection: &mut Connection, upload: &Upload) -> Result<PathState> {
    let look = Look {
        place: TenantPath::from(upload),
        folders: parent_folders(&upload.key).collect(),
    };
    let (id, sequence, is_current, in_other_tenants_prefix) = look.get_result(connection).await?;
    let version = PathVersion::of(id, sequence, is_current);
    Ok(PathState {
        version,
        in_other_tenants_prefix,
    })
}

/// What there is at the place of an upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Its version.
    pub version: PathVersion,
    /// Whether wrong objects are counted there.
    pub is_unproven: bool,
    /// Whether its object is being removed.
    pub is_being_removed: bool,
}

/// An upload that is about to be acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    /// The upload.
    pub upload: &'a Upload,
    /// The ETag of its object.
    pub etag: &'a str,
    /// The time now.
    pub at: DateTime<Utc>,
}

/// What there is at the places of those of `candidates` whose row is in one of the states `from`, and
/// still held under their lease where they have one. The caller holds their locks: a statement of its
/// own sees what was committed before it had them.
pub(super) async fn seen(
    connection: &mut Connection,
    candidates: &[Candidate<'_>],
    from: &[Status],
) -> Result<HashMap<Uuid, Seen>> {
    let query = LookAll {
        from: each(from, |status| status.as_str()),
        ids: each(candidates, |one| one.upload.id),
        tenants: each(candidates, |one| &*one.upload.tenant),
        paths: each(candidates, |one| one.upload.path.as_str()),
        lease_tokens: each(candidates, |one| one.upload.lease_token),
        etags: each(candidates, |one| one.etag),
        at: each(candidates, |one| one.at),
    };
    let found: Vec<Found> = query.load(connection).await?;
    let seen = |(own, id, sequence, is_current, is_unproven, is_being_removed): Found| {
        let seen = Seen {
            version: PathVersion::of(id, sequence, is_current),
            is_unproven,
            is_being_removed,
        };
        (own, seen)
    };
    Ok(found.into_iter().map(seen).collect())
}

type Found = (Uuid, Option<Uuid>, Option<i32>, bool, bool, bool);

struct Look<'a> {
    place: TenantPath<'a>,
    folders: Vec<&'a str>,
}

struct LookAll<'a> {
    from: Vec<&'static str>,
    ids: Vec<Uuid>,
    tenants: Vec<&'a str>,
    paths: Vec<&'a str>,
    lease_tokens: Vec<Option<Uuid>>,
    etags: Vec<&'a str>,
    at: Vec<DateTime<Utc>>,
}

impl QueryFragment<Pg> for Look<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(MARK);
        out.push_sql(
            ", EXISTS (SELECT FROM tenants WHERE tenants.name <> place.tenant \
             AND tenants.key_prefix = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.folders)?;
        out.push_sql(")) FROM (SELECT ");
        out.push_bind_param::<Text, _>(self.place.tenant)?;
        out.push_sql(" AS tenant, ");
        out.push_bind_param::<Text, _>(self.place.path)?;
        out.push_sql(" AS path) place");
        out.push_sql(AT_PLACE);
        Ok(())
    }
}

impl QueryFragment<Pg> for LookAll<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT own.id, ");
        out.push_sql(MARK);
        out.push_sql(
            ", EXISTS (SELECT FROM uploads WHERE uploads.tenant = place.tenant \
             AND uploads.path = place.path AND uploads.unproven_size IS NOT NULL), ",
        );
        removals::push_is_under_way(&mut out, "own", "place");
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
        out.push_sql(AT_PLACE);
        Ok(())
    }
}

impl QueryId for Look<'_> {
    type QueryId = Look<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for LookAll<'_> {
    type QueryId = LookAll<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Look<'_> {
    type SqlType = (Nullable<SqlUuid>, Nullable<Int4>, Bool, Bool);
}

impl Query for LookAll<'_> {
    type SqlType = (SqlUuid, Nullable<SqlUuid>, Nullable<Int4>, Bool, Bool, Bool);
}
