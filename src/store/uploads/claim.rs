//! Whose turn a row is: the janitor's claims.
//!
//! `janitor_due_at` is the lease and the back-off in one: a claim moves it into the future and
//! commits before S3 is asked. A janitor that dies in between loses nothing, the row falls due
//! again when the lease ends; one that failed leaves the row due later, behind the others.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// A question for rows that wait for the janitor. Each has an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Pending past their deadline.
    Overdue,
    /// Deletes that never ended.
    Deleting,
    /// Deleted, cancelled or failed, while their URL may have been good for another PUT.
    Unsettled,
}

impl Waiting {
    // Written out, not bound: Postgres uses a partial index only where it sees the predicate.
    pub(super) const fn predicate(self) -> &'static str {
        match self {
            Self::Overdue => "uploads.status = 'Pending'",
            Self::Deleting => "uploads.status = 'Deleting'",
            Self::Unsettled => {
                "(uploads.status IN ('Deleted', 'Cancelled') \
                 OR uploads.status = 'Error' AND uploads.uploaded_at IS NULL) \
                 AND uploads.settled_at IS NULL"
            }
        }
    }

    /// The time that must have passed.
    const fn time(self) -> &'static str {
        match self {
            Self::Overdue | Self::Unsettled => "uploads.expires_at",
            Self::Deleting => "uploads.updated_at",
        }
    }
}

/// A row that is the caller's until the lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// As it was when it was claimed.
    pub upload: Upload,
    /// How often it was claimed since it last changed its status, this time included.
    pub attempts: i32,
}

/// Claims up to `limit` rows until `lease`: those whose time was before `before` and that nobody
/// holds at `now`. Of every tenant: only the janitor asks. Call it inside a transaction.
pub async fn claim(
    connection: &mut Connection,
    waiting: Waiting,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let due: Vec<Uuid> = uploads::table
        .filter(sql::<Bool>(waiting.predicate()))
        .filter(sql::<Timestamptz>(waiting.time()).lt(before))
        .filter(is_free(now))
        .order((sql::<Timestamptz>(waiting.time()), uploads::id))
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(uploads::id)
        .load(connection)
        .await?;
    let rows: Vec<(Row, i32)> = diesel::update(uploads::table.filter(uploads::id.eq_any(due)))
        .set((
            uploads::janitor_due_at.eq(lease),
            uploads::janitor_attempts.eq(uploads::janitor_attempts + 1),
        ))
        .returning((Row::as_returning(), uploads::janitor_attempts))
        .get_results(connection)
        .await?;
    let claimed = rows
        .into_iter()
        .map(|(row, attempts)| row.into_upload().map(|upload| Claimed { upload, attempts }));
    claimed.collect()
}

/// The rows that [`claim`] would claim, the oldest first, and nothing changes. `after` is the last
/// one of the page before.
pub async fn peek(
    connection: &mut Connection,
    waiting: Waiting,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    after: Option<&Upload>,
    limit: i64,
) -> Result<Vec<Upload>> {
    let mut query = uploads::table
        .filter(sql::<Bool>(waiting.predicate()))
        .filter(sql::<Timestamptz>(waiting.time()).lt(before))
        .filter(is_free(now))
        .order((sql::<Timestamptz>(waiting.time()), uploads::id))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(upload) = after {
        let time = match waiting {
            Waiting::Overdue | Waiting::Unsettled => upload.expires_at,
            Waiting::Deleting => upload.updated_at,
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

/// Gives back what was claimed until `lease` and not begun, as if it had not been claimed.
pub async fn release(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: DateTime<Utc>,
) -> Result<()> {
    diesel::update(held(ids, lease))
        .set((
            uploads::janitor_due_at.eq(None::<DateTime<Utc>>),
            uploads::janitor_attempts.eq(uploads::janitor_attempts - 1),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts off a row that was claimed until `lease`: it falls due again at `until`.
pub async fn put_off(
    connection: &mut Connection,
    id: Uuid,
    lease: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<()> {
    diesel::update(held(&[id], lease))
        .set(uploads::janitor_due_at.eq(until))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that an upload was looked at for the last time.
pub async fn settle(connection: &mut Connection, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    diesel::update(uploads::table.filter(uploads::id.eq(id)))
        .filter(sql::<Bool>(Waiting::Unsettled.predicate()))
        .set(uploads::settled_at.eq(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Settles at most `limit` uploads whose URL was over, with the grace, before they were deleted:
/// nothing can have come since. Says how many.
pub async fn settle_closed(
    connection: &mut Connection,
    grace_seconds: f64,
    at: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let closed: Vec<Uuid> = uploads::table
        .filter(sql::<Bool>(Waiting::Unsettled.predicate()))
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

#[diesel::dsl::auto_type(no_type_alias)]
fn is_free(now: DateTime<Utc>) -> _ {
    uploads::janitor_due_at
        .is_null()
        .or(uploads::janitor_due_at.le(now))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn held<'a>(ids: &'a [Uuid], lease: DateTime<Utc>) -> _ {
    uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::janitor_due_at.eq(lease))
}
