//! Who is current at a path, as a mark that changes with every acknowledge there.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::path::DatasetPath;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::columns::{bind_arrays, each};
use crate::store::{Connection, Result};

/// Where a dataset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// As the tenant sees it.
    pub path: &'a str,
}

impl<'a> Place<'a> {
    /// A path of a tenant.
    pub fn new(tenant: &'a str, path: &'a DatasetPath) -> Self {
        let path = path.as_str();
        Self { tenant, path }
    }
}

impl<'a> From<&'a Upload> for Place<'a> {
    fn from(upload: &'a Upload) -> Self {
        Self::new(&upload.tenant, &upload.path)
    }
}

/// Who is current at a path, else who was acknowledged last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Current(Option<(Uuid, i32, bool)>);

impl Current {
    /// The upload that a later one supersedes, if there is one.
    pub fn upload(self) -> Option<Uuid> {
        self.0
            .and_then(|(id, _, is_current)| is_current.then_some(id))
    }

    /// Whether the mark names this upload, as the row is now.
    pub(super) fn is_of(self, upload: &Upload) -> bool {
        self.0
            .is_some_and(|(id, sequence, _)| (id, sequence) == (upload.id, upload.sequence))
    }
}

/// The last of the rows that were ever acknowledged at a place; a current one before any other.
///
/// It looks at rows in every state that follows an acknowledge, so that an upload which came and
/// was deleted in between changes the mark too.
const MARK: &str = "(SELECT id, sequence, status IN ('Uploaded', 'Processed') AS is_current \
     FROM uploads WHERE uploads.tenant = place.tenant AND uploads.path = place.path \
     AND uploads.uploaded_at IS NOT NULL \
     ORDER BY is_current DESC, uploaded_at DESC, id DESC LIMIT 1)";

/// The mark of a path. See [`Current`].
pub async fn current_of(connection: &mut Connection, place: Place<'_>) -> Result<Current> {
    let mark: Option<(Uuid, i32, bool)> = Look(place).get_result(connection).await.optional()?;
    Ok(Current(mark))
}

/// What there is at the place of an upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Its mark.
    pub mark: Current,
    /// Whether wrong objects are counted there.
    pub is_unproven: bool,
}

/// Locks those of `uploads` whose row is in one of the states `from`, and still held under their
/// lease where they have one, in the order of their ids, and returns what there is at their places.
pub(super) async fn lock(
    connection: &mut Connection,
    uploads: &[&Upload],
    from: &[Status],
) -> Result<HashMap<Uuid, Seen>> {
    let query = Lock {
        from: each(from, |status| status.as_str()),
        ids: each(uploads, |upload| upload.id),
        tenants: each(uploads, |upload| &*upload.tenant),
        paths: each(uploads, |upload| upload.path.as_str()),
        fences: each(uploads, |upload| upload.fence),
    };
    let found: Vec<Locked> = query.load(connection).await?;
    let seen = |(own, id, sequence, is_current, is_unproven): Locked| {
        let mark = id.zip(sequence).zip(is_current);
        let mark = mark.map(|((id, sequence), is_current)| (id, sequence, is_current));
        let mark = Current(mark);
        (own, Seen { mark, is_unproven })
    };
    Ok(found.into_iter().map(seen).collect())
}

type Locked = (Uuid, Option<Uuid>, Option<i32>, Option<bool>, bool);

struct Look<'a>(Place<'a>);

struct Lock<'a> {
    from: Vec<&'static str>,
    ids: Vec<Uuid>,
    tenants: Vec<&'a str>,
    paths: Vec<&'a str>,
    fences: Vec<Option<Uuid>>,
}

impl QueryFragment<Pg> for Look<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT mark.id, mark.sequence, mark.is_current FROM (SELECT ");
        out.push_bind_param::<Text, _>(self.0.tenant)?;
        out.push_sql(" AS tenant, ");
        out.push_bind_param::<Text, _>(self.0.path)?;
        out.push_sql(" AS path) place, LATERAL ");
        out.push_sql(MARK);
        out.push_sql(" mark");
        Ok(())
    }
}

impl QueryFragment<Pg> for Lock<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT own.id, mark.id, mark.sequence, mark.is_current, \
             EXISTS (SELECT FROM uploads WHERE uploads.tenant = place.tenant \
             AND uploads.path = place.path AND uploads.unproven_size IS NOT NULL) FROM unnest(",
        );
        bind_arrays!(
            out,
            SqlUuid: &self.ids,
            Text: &self.tenants,
            Text: &self.paths,
            Nullable<SqlUuid>: &self.fences,
        );
        out.push_sql(
            ") AS place (id, tenant, path, fence) JOIN uploads own ON own.id = place.id \
             AND (place.fence IS NULL OR own.holder = place.fence) AND own.status = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.from)?;
        out.push_sql(") LEFT JOIN LATERAL ");
        out.push_sql(MARK);
        out.push_sql(" mark ON true ORDER BY own.id FOR UPDATE OF own");
        Ok(())
    }
}

impl QueryId for Look<'_> {
    type QueryId = Look<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for Lock<'_> {
    type QueryId = Lock<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Look<'_> {
    type SqlType = (SqlUuid, Int4, Bool);
}

impl Query for Lock<'_> {
    type SqlType = (
        SqlUuid,
        Nullable<SqlUuid>,
        Nullable<Int4>,
        Nullable<Bool>,
        Bool,
    );
}
