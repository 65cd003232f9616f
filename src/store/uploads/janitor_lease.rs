//! The leases of the janitor on uploads.
//!
//! The janitor leases rows ([`store::lease`](crate::store::lease)) and commits that before it sends
//! requests to S3. If it crashes in between, nothing is lost: the row is free again when the lease
//! expires. After a failure the row is due later, behind the other rows: `janitor_due_at`
//! implements this back-off.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, impl_renew_leases, is_free, lease_expiry};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// The value of `held_for` in rows that are leased by the janitor.
pub(super) const HELD_FOR_JANITOR: &str = "janitor";

/// The kinds of rows that the janitor processes. Each kind has an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueRows {
    /// Pending uploads that no client acknowledges, before their deadline.
    AwaitingArrival,
    /// Pending uploads past their deadline.
    Overdue,
    /// Deletes that were not finished.
    Deleting,
    /// Deleted, cancelled or failed uploads that need a final check, because their URL may still
    /// have been valid for a PUT.
    AwaitingFinalCheck,
}

impl DueRows {
    // This is a literal instead of bind parameters, because Postgres uses a partial index only if
    // the query has its predicate.
    pub(super) const fn predicate(self) -> &'static str {
        match self {
            Self::AwaitingArrival => {
                "uploads.status = 'Pending' AND uploads.arrival_check_at IS NOT NULL"
            }
            Self::Overdue => "uploads.status = 'Pending'",
            Self::Deleting => "uploads.status = 'Deleting'",
            Self::AwaitingFinalCheck => {
                "(uploads.status IN ('Deleted', 'Cancelled') \
                 OR uploads.status = 'Error' AND uploads.uploaded_at IS NULL) \
                 AND uploads.settled_at IS NULL"
            }
        }
    }

    /// The column with the time after which a row is due.
    const fn due_column(self) -> &'static str {
        match self {
            Self::Overdue | Self::AwaitingFinalCheck => "uploads.expires_at",
            Self::AwaitingArrival => "uploads.arrival_check_at",
            Self::Deleting => "uploads.updated_at",
        }
    }
}

/// An upload that is leased by the caller.
#[derive(Clone, Debug)]
pub struct LeasedUpload {
    /// The row at the time of the lease, with the token of the lease.
    pub upload: Upload,
    /// How often the row was leased since its last status change, including this time.
    pub attempts: i32,
}

/// Leases up to `limit` rows of all tenants: those that were due before `before`, whose back-off
/// had ended at `since`, and that have no unexpired lease. Only for the janitor. Call it inside a
/// transaction.
pub async fn lease_due_rows(
    connection: &mut Connection,
    due: DueRows,
    before: DateTime<Utc>,
    since: DateTime<Utc>,
    lease: &Lease,
    limit: i64,
) -> Result<Vec<LeasedUpload>> {
    let due: Vec<Uuid> = uploads::table
        .filter(sql::<Bool>(due.predicate()))
        .filter(sql::<Timestamptz>(due.due_column()).lt(before))
        .filter(is_due(since))
        .filter(is_free!(uploads, lease))
        .order((sql::<Timestamptz>(due.due_column()), uploads::id))
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
            uploads::leased_until.eq(lease_expiry!(lease)),
            uploads::held_for.eq(HELD_FOR_JANITOR),
            uploads::janitor_attempts.eq(uploads::janitor_attempts + 1),
        ))
        .returning((Row::as_returning(), uploads::janitor_attempts))
        .get_results(connection)
        .await?;
    let leased = rows.into_iter().map(|(row, attempts)| {
        let upload = row.into_upload()?;
        Ok(LeasedUpload {
            upload: upload.with_lease_token(lease.token()),
            attempts,
        })
    });
    leased.collect()
}

/// Lists the rows that [`lease_due_rows`] would lease, the oldest first, without changes. `after`
/// is the last row of the previous page.
pub async fn list_due_rows(
    connection: &mut Connection,
    due: DueRows,
    before: DateTime<Utc>,
    since: DateTime<Utc>,
    lease: &Lease,
    after: Option<&Upload>,
    limit: i64,
) -> Result<Vec<Upload>> {
    let mut query = uploads::table
        .filter(sql::<Bool>(due.predicate()))
        .filter(sql::<Timestamptz>(due.due_column()).lt(before))
        .filter(is_due(since))
        .filter(is_free!(uploads, lease))
        .order((sql::<Timestamptz>(due.due_column()), uploads::id))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(upload) = after {
        let time = match due {
            DueRows::Overdue | DueRows::AwaitingFinalCheck => upload.expires_at,
            DueRows::AwaitingArrival => upload.arrival_check_at.unwrap_or(upload.created_at),
            DueRows::Deleting => upload.updated_at,
        };
        let beyond = sql::<Bool>("(")
            .sql(due.due_column())
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

/// Releases rows that were leased under `lease` and not processed, as if they had not been leased.
pub async fn release_leases(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
) -> Result<()> {
    diesel::update(leased_under(ids, lease.token()))
        .set((
            WithoutLease::default(),
            uploads::janitor_attempts.eq(uploads::janitor_attempts - 1),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Releases rows that are still leased under `lease`; they are due again at `until`.
pub async fn postpone(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
    until: DateTime<Utc>,
) -> Result<()> {
    diesel::update(leased_under(ids, lease.token()))
        .set((WithoutLease::default(), uploads::janitor_due_at.eq(until)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Records that the final check of an upload was done, unless its lease was lost meanwhile.
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

/// Marks at most `limit` uploads as finally checked whose URL had expired, including the grace
/// period, before they were deleted: no object can have arrived since. Returns how many.
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

/// Whether the back-off of a row has ended.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_due(since: DateTime<Utc>) -> _ {
    uploads::janitor_due_at
        .is_null()
        .or(uploads::janitor_due_at.le(since))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn leased_under<'a>(ids: &'a [Uuid], token: Uuid) -> _ {
    uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::holder.eq(token))
}

/// Whether a row still has the lease with this token; always true without a token.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn is_held_under(lease_token: Option<Uuid>) -> _ {
    uploads::holder.is_not_distinct_from(coalesce(lease_token, uploads::holder))
}

/// The lease columns of a row that is not leased.
#[derive(AsChangeset, Default)]
#[diesel(table_name = uploads, treat_none_as_null = true)]
pub(super) struct WithoutLease {
    holder: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
    held_for: Option<String>,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first argument that is not NULL.
    fn coalesce(one: Nullable<SqlUuid>, other: Nullable<SqlUuid>) -> Nullable<SqlUuid>;
}
