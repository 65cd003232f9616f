//! The table `audit`: rows are added, read, and let go by retention. A trigger refuses the rest.

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

/// How much later than its time a row's id may have been made.
const ID_LAG: TimeDelta = TimeDelta::minutes(1);

/// Adds rows, in one statement.
pub async fn append(connection: &mut Connection, entries: &[Entry]) -> Result<()> {
    Append::<false>::of(entries).execute(connection).await?;
    Ok(())
}

/// The same after an answer that was lost: rows that are there already are left as they are. That
/// costs Postgres a third more.
pub async fn append_idempotently(connection: &mut Connection, entries: &[Entry]) -> Result<()> {
    Append::<true>::of(entries).execute(connection).await?;
    Ok(())
}

/// The rows, column by column; `AGAIN` where some of them may be there already.
struct Append<'a, const AGAIN: bool> {
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

impl<'a, const AGAIN: bool> Append<'a, AGAIN> {
    fn of(entries: &'a [Entry]) -> Self {
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

impl<const AGAIN: bool> QueryFragment<Pg> for Append<'_, AGAIN> {
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
        if AGAIN {
            out.push_sql(" ON CONFLICT (id) DO NOTHING");
        }
        Ok(())
    }
}

impl<const AGAIN: bool> QueryId for Append<'_, AGAIN> {
    type QueryId = Append<'static, AGAIN>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const AGAIN: bool> Query for Append<'_, AGAIN> {
    type SqlType = Untyped;
}

/// Tenants rows.
#[derive(Clone, Copy, Debug)]
pub enum Tenants<'a> {
    /// Those of this tenant.
    One(&'a str),
    /// Everybody's, and those of nobody: for operators.
    All,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// The newest first, older than this one where one is named.
    Newest(Option<Uuid>),
    /// The oldest first, newer than this one where one is named.
    Oldest(Option<Uuid>),
}

/// Which rows. What is `None` does not narrow them down.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one of these actions; of any, where it is empty.
    pub actions: Vec<Action>,
    /// At paths that start like this, with the leading slash.
    pub prefix: Option<String>,
    /// The first moment.
    pub since: Option<DateTime<Utc>>,
    /// The first moment that is too late.
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

/// At most `limit` rows. Keyset: rows that arrive meanwhile do not shift a page.
///
/// Of several actions, each is a statement of its own, which the index on actions answers; their
/// rows are merged. One statement for all of them would read every row of the tenant where it has
/// few of these.
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
    // Ids begin with their time: the indexes find it by them.
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

/// Removes at most `limit` rows that are older than `before`, and says how many. Call it inside a
/// transaction: until its end, rows may be removed.
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

/// How many rows [`remove`] would remove in the end.
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
