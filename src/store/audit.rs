//! The table `audit`: rows are inserted, read, and deleted by retention. A trigger refuses all
//! other changes.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf, count_star};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Int4, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::columns::{bind_arrays, each};
use super::like_pattern::starts_with;
use super::retention::first_id;
use super::schema::audit;
use super::{Connection, Result};
use crate::domain::audit::{Action, Entry, Record};

/// The largest delay between the time of a row and the creation of its id.
const ID_LAG: TimeDelta = TimeDelta::minutes(1);

/// Inserts rows in one statement.
pub async fn append(connection: &mut Connection, entries: &[Entry]) -> Result<()> {
    Append::<false>::new(entries).execute(connection).await?;
    Ok(())
}

/// Inserts rows of which some may have been inserted before, because the answer of Postgres was
/// lost. Existing rows are not changed. This costs Postgres a third more than [`append`].
pub async fn append_idempotently(connection: &mut Connection, entries: &[Entry]) -> Result<()> {
    Append::<true>::new(entries).execute(connection).await?;
    Ok(())
}

/// The rows, column by column. `IDEMPOTENT` if some of them may exist already.
struct Append<'a, const IDEMPOTENT: bool> {
    ids: Vec<Uuid>,
    at: Vec<DateTime<Utc>>,
    tenants: Vec<Option<&'a str>>,
    actors: Vec<String>,
    addresses: Vec<Option<String>>,
    request_ids: Vec<Option<&'a str>>,
    actions: Vec<&'static str>,
    operations: Vec<Option<&'a str>>,
    upload_ids: Vec<Option<Uuid>>,
    subjects: Vec<Option<&'a str>>,
    paths: Vec<Option<&'a str>>,
    expires_at: Vec<Option<DateTime<Utc>>>,
    codes: Vec<Option<&'static str>>,
    counts: Vec<i32>,
}

impl<'a, const IDEMPOTENT: bool> Append<'a, IDEMPOTENT> {
    fn new(entries: &'a [Entry]) -> Self {
        Self {
            ids: each(entries, |entry| entry.id),
            at: each(entries, |entry| entry.at),
            tenants: each(entries, |entry| entry.origin.actor.tenant()),
            actors: each(entries, |entry| entry.origin.actor.name().into_owned()),
            addresses: each(entries, |entry| {
                entry.origin.address.map(|address| address.to_string())
            }),
            request_ids: each(entries, |entry| entry.origin.request_id.as_deref()),
            actions: each(entries, |entry| entry.details.action.as_str()),
            operations: each(entries, |entry| entry.operation.as_deref()),
            upload_ids: each(entries, |entry| entry.details.upload_id),
            subjects: each(entries, |entry| entry.details.subject.as_deref()),
            paths: each(entries, |entry| entry.details.path.as_deref()),
            expires_at: each(entries, |entry| entry.details.expires_at),
            codes: each(entries, |entry| entry.details.code),
            counts: each(entries, |entry| entry.count),
        }
    }
}

impl<const IDEMPOTENT: bool> QueryFragment<Pg> for Append<'_, IDEMPOTENT> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO audit SELECT * FROM unnest(");
        bind_arrays!(
            out,
            SqlUuid: &self.ids,
            Timestamptz: &self.at,
            Nullable<Text>: &self.tenants,
            Text: &self.actors,
            Nullable<Text>: &self.addresses,
            Nullable<Text>: &self.request_ids,
            Text: &self.actions,
            Nullable<Text>: &self.operations,
            Nullable<SqlUuid>: &self.upload_ids,
            Nullable<Text>: &self.subjects,
            Nullable<Text>: &self.paths,
            Nullable<Timestamptz>: &self.expires_at,
            Nullable<Text>: &self.codes,
            Int4: &self.counts,
        );
        out.push_sql(
            ") AS new (id, at, tenant, actor, address, request_id, action, operation, upload_id, \
             subject, path, expires_at, code, count)",
        );
        if IDEMPOTENT {
            out.push_sql(" ON CONFLICT (id) DO NOTHING");
        }
        Ok(())
    }
}

impl<const IDEMPOTENT: bool> QueryId for Append<'_, IDEMPOTENT> {
    type QueryId = Append<'static, IDEMPOTENT>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const IDEMPOTENT: bool> Query for Append<'_, IDEMPOTENT> {
    type SqlType = Untyped;
}

/// The tenants whose rows are listed.
#[derive(Clone, Copy, Debug)]
pub enum Tenants<'a> {
    /// One tenant.
    One(&'a str),
    /// All tenants, and rows without a tenant: for operators.
    All,
}

/// The order of a page, and the row that it starts after.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Newest first, starting with the rows older than this one, if given.
    Newest(Option<Uuid>),
    /// Oldest first, starting with the rows newer than this one, if given.
    Oldest(Option<Uuid>),
}

/// Conditions for rows. Those that are `None` do not apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Rows of one of these actions; of any action if it is empty.
    pub actions: Vec<Action>,
    /// Rows whose path starts with this, including the leading slash.
    pub prefix: Option<String>,
    /// Rows at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Rows before this time.
    pub until: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    tenant: Option<String>,
    actor: String,
    address: Option<String>,
    request_id: Option<String>,
    action: String,
    operation: Option<String>,
    upload_id: Option<Uuid>,
    subject: Option<String>,
    path: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    code: Option<String>,
    count: i32,
}

/// Lists at most `limit` rows. The pagination is by key, so rows that are inserted meanwhile do not
/// shift a page.
///
/// With several actions, each is queried by its own statement, which uses the index on actions, and
/// the rows are merged. A single statement would read every row of a tenant that has few rows of
/// these actions.
pub async fn list(
    connection: &mut Connection,
    tenants: Tenants<'_>,
    filter: &Filter,
    start: Start,
    limit: i64,
) -> Result<Vec<Record>> {
    let mut rows: Vec<Row> = match &*filter.actions {
        [] => {
            select(tenants, filter, None, start, limit)
                .load(connection)
                .await?
        }
        actions => {
            let mut rows = Vec::new();
            for action in actions {
                let of_action: Vec<Row> = select(tenants, filter, Some(*action), start, limit)
                    .load(connection)
                    .await?;
                rows.extend(of_action);
            }
            rows
        }
    };
    match start {
        Start::Newest(_) => rows.sort_unstable_by_key(|row| Reverse(row.id)),
        Start::Oldest(_) => rows.sort_unstable_by_key(|row| row.id),
    }
    rows.dedup_by_key(|row| row.id);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(rows.into_iter().map(Into::into).collect())
}

fn select<'a>(
    tenants: Tenants<'a>,
    filter: &Filter,
    action: Option<Action>,
    start: Start,
    limit: i64,
) -> audit::BoxedQuery<'a, Pg, SqlTypeOf<AsSelect<Row, Pg>>> {
    let mut query = audit::table
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Tenants::One(tenant) = tenants {
        query = query.filter(audit::tenant.eq(tenant));
    }
    if let Some(action) = action {
        query = query.filter(audit::action.eq(action.as_str()));
    }
    if let Some(prefix) = &filter.prefix {
        query = query.filter(audit::path.like(starts_with(prefix)));
    }
    // Ids start with their time, so that the indexes on ids also restrict the time.
    if let Some(since) = filter.since {
        query = query.filter(audit::at.ge(since));
        query = query.filter(audit::id.ge(first_id(since)));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit::at.lt(until));
        query = query.filter(audit::id.lt(first_id(until + ID_LAG)));
    }
    match start {
        Start::Newest(None) => query.order(audit::id.desc()),
        Start::Newest(Some(id)) => query.filter(audit::id.lt(id)).order(audit::id.desc()),
        Start::Oldest(None) => query.order(audit::id.asc()),
        Start::Oldest(Some(id)) => query.filter(audit::id.gt(id)).order(audit::id.asc()),
    }
}

/// Deletes at most `limit` rows that are older than `before`, and returns how many. Call it inside
/// a transaction: the permission to delete rows lasts until its end.
pub async fn remove(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    diesel::sql_query("SELECT set_config('upload_broker.retention', 'on', true)")
        .execute(connection)
        .await?;
    let old: Vec<Uuid> = audit::table
        .filter(audit::id.lt(first_id(before)))
        .order(audit::id)
        .limit(limit)
        .select(audit::id)
        .load(connection)
        .await?;
    diesel::delete(audit::table.filter(audit::id.eq_any(old)))
        .execute(connection)
        .await
}

/// Counts the rows that [`remove`] would delete in total.
pub async fn count_old(connection: &mut Connection, before: DateTime<Utc>) -> Result<i64> {
    audit::table
        .filter(audit::id.lt(first_id(before)))
        .select(count_star())
        .first(connection)
        .await
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.at,
            tenant: row.tenant,
            actor: row.actor,
            address: row.address,
            request_id: row.request_id,
            action: row.action,
            operation: row.operation,
            upload_id: row.upload_id,
            subject: row.subject,
            path: row.path,
            expires_at: row.expires_at,
            code: row.code,
            count: row.count,
        }
    }
}
