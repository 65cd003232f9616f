//! The janitor's claims on rows.
//!
//! A claim is a lease ([`store::lease`](crate::store::lease)) and commits before S3 is asked. A
//! janitor that dies in between loses nothing: the row is free again when the lease ends. One that
//! failed leaves the row due later, behind the others: `janitor_due_at` is that back-off.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, end_of, impl_renew_leases, is_free};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// What a row is held for, as `held_for` says it.
pub(super) const FOR_THE_JANITOR: &str = "janitor";

/// A question for rows that wait for the janitor. Each has an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueRows {
    /// Pending past their deadline.
    Overdue,
    /// Deletes that never ended.
    Deleting,
    /// Deleted, cancelled or failed, while their URL may have been good for another PUT.
    AwaitingFinalCheck,
}

impl DueRows {
    // Written out, not bound: Postgres uses a partial index only where it sees the predicate.
    pub(super) const fn predicate(self) -> &'static str {
        match self {
            Self::Overdue => "uploads.status = 'Pending'",
            Self::Deleting => "uploads.status = 'Deleting'",
            Self::AwaitingFinalCheck => {
                "(uploads.status IN ('Deleted', 'Cancelled') \
                 OR uploads.status = 'Error' AND uploads.uploaded_at IS NULL) \
                 AND uploads.settled_at IS NULL"
            }
        }
    }

    /// The time that must have passed.
    const fn time(self) -> &'static str {
        match self {
            Self::Overdue | Self::AwaitingFinalCheck => "uploads.expires_at",
            Self::Deleting => "uploads.updated_at",
        }
    }
}

/// A row that the caller holds.
#[derive(Clone, Debug)]
pub struct LeasedUpload {
    /// As it was when it was claimed; changes through it are fenced by the lease.
    pub upload: Upload,
    /// InsertMode often it was claimed since it last changed its status, this time included.
    pub attempts: i32,
}

/// Claims up to `limit` rows under `lease`: those whose time was before `before`, whose back-off
/// was over at `since`, and that no living lease holds. Of every tenant: only the janitor asks.
/// Call it inside a transaction.
pub async fn lease_due_rows(
    connection: &mut Connection,
    waiting: DueRows,
    before: DateTime<Utc>,
    since: DateTime<Utc>,
    lease: &Lease,
    limit: i64,
) -> Result<Vec<LeasedUpload>> {
    let due: Vec<Uuid> = uploads::table
        .filter(sql::<Bool>(waiting.predicate()))
        .filter(sql::<Timestamptz>(waiting.time()).lt(before))
        .filter(is_due(since))
        .filter(is_free!(uploads, lease))
        .order((sql::<Timestamptz>(waiting.time()), uploads::id))
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(uploads::id)
        .load(connection)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Row, i32)> = diesel::update(uploads::table.filter(uploads::id.eq_any(due)))
        .set((
            uploads::holder.eq(lease.token()),
            uploads::leased_until.eq(end_of!(lease)),
            uploads::held_for.eq(FOR_THE_JANITOR),
            uploads::janitor_attempts.eq(uploads::janitor_attempts + 1),
        ))
        .returning((Row::as_returning(), uploads::janitor_attempts))
        .get_results(connection)
        .await?;
    let claimed = rows.into_iter().map(|(row, attempts)| {
        let upload = row.into_upload()?;
        Ok(LeasedUpload {
            upload: upload.with_lease_token(lease.token()),
            attempts,
        })
    });
    claimed.collect()
}

/// The rows that [`claim`] would claim under `lease`, the oldest first, and nothing changes.
/// `after` is the last one of the page before.
pub async fn list_due_rows(
    connection: &mut Connection,
    waiting: DueRows,
    before: DateTime<Utc>,
    since: DateTime<Utc>,
    lease: &Lease,
    after: Option<&Upload>,
    limit: i64,
) -> Result<Vec<Upload>> {
    let mut query = uploads::table
        .filter(sql::<Bool>(waiting.predicate()))
        .filter(sql::<Timestamptz>(waiting.time()).lt(before))
        .filter(is_due(since))
        .filter(is_free!(uploads, lease))
        .order((sql::<Timestamptz>(waiting.time()), uploads::id))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(upload) = after {
        let time = match waiting {
            DueRows::Overdue | DueRows::AwaitingFinalCheck => upload.expires_at,
            DueRows::Deleting => upload.updated_at,
        };
        let beyond = sql::<Bool>("(")
            .sql(waiting.time())
            .sql(", uploads.id) > (")
            .bind::<Timestamptz, _>(time)
            .sql(", ")
            .bind::<SqlUuid, _>(upload.id)
            .sql(")");
        query = query.filter(beyond);
    }
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Row::into_upload).collect()
}

impl_renew_leases!(uploads, id, Uuid);

/// Gives back what was claimed under `lease` and not begun, as if it had not been claimed.
pub async fn release_leases(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
) -> Result<()> {
    diesel::update(held(ids, lease.token()))
        .set((
            WithoutLease::default(),
            uploads::janitor_attempts.eq(uploads::janitor_attempts - 1),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives back what was claimed under `lease`, as far as it still is: it falls due again at `until`.
pub async fn postpone(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
    until: DateTime<Utc>,
) -> Result<()> {
    diesel::update(held(ids, lease.token()))
        .set((WithoutLease::default(), uploads::janitor_due_at.eq(until)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that an upload was looked at for the last time, unless its lease was lost meanwhile.
pub async fn mark_finally_checked(
    connection: &mut Connection,
    upload: &Upload,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(uploads::table.filter(uploads::id.eq(upload.id)))
        .filter(sql::<Bool>(DueRows::AwaitingFinalCheck.predicate()))
        .filter(is_held_under(upload.lease_token))
        .set((WithoutLease::default(), uploads::settled_at.eq(at)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Settles at most `limit` uploads whose URL was over, with the grace, before they were deleted:
/// nothing can have come since. Says how many.
pub async fn mark_closed_finally_checked(
    connection: &mut Connection,
    grace_seconds: f64,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let closed: Vec<Uuid> = uploads::table
        .filter(sql::<Bool>(DueRows::AwaitingFinalCheck.predicate()))
        .filter(sql::<Bool>("uploads.status = 'Deleted'"))
        .filter(
            sql::<Bool>("uploads.expires_at + make_interval(secs => ")
                .bind::<diesel::sql_types::Double, _>(grace_seconds)
                .sql(") < uploads.updated_at"),
        )
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(uploads::id)
        .load(connection)
        .await?;
    diesel::update(uploads::table.filter(uploads::id.eq_any(closed)))
        .set(uploads::settled_at.eq(at))
        .execute(connection)
        .await
}

/// Whether nothing has failed at a row lately.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_due(since: DateTime<Utc>) -> _ {
    uploads::janitor_due_at
        .is_null()
        .or(uploads::janitor_due_at.le(since))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn held<'a>(ids: &'a [Uuid], token: Uuid) -> _ {
    uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::holder.eq(token))
}

/// Whether a row may be changed by a holder of the lease `lease_token`: only while the row has that one;
/// without a lease, whatever it has.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn is_held_under(lease_token: Option<Uuid>) -> _ {
    uploads::holder.is_not_distinct_from(coalesce(lease_token, uploads::holder))
}

/// The columns of a row that no lease holds.
#[derive(AsChangeset, Default)]
#[diesel(table_name = uploads, treat_none_as_null = true)]
pub(super) struct WithoutLease {
    holder: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
    held_for: Option<String>,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first of the two that is there.
    fn coalesce(one: Nullable<SqlUuid>, other: Nullable<SqlUuid>) -> Nullable<SqlUuid>;
}
