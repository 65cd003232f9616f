//! The one door for `status`; acknowledges, which come in groups, go through [`acknowledge`]
//! beside it.
//!
//! [`acknowledge`]: super::acknowledge()
//!
//! Each arrow is a compare-and-set on the row and an INSERT of its event; the caller wraps both
//! in one transaction. Of two callers at once, one finds the row as it must be, the other gets
//! nothing.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::{WithoutLease, is_held_under};
use super::row::Row;
use super::unproven::bytes;
use crate::domain::event::EventType;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload};
use crate::store::schema::uploads;
use crate::store::{Connection, Result, events};

/// What changes with an arrow, beside the status. `None` leaves a column alone.
#[derive(AsChangeset, Default)]
#[diesel(table_name = uploads)]
pub struct Changes {
    error_code: Option<String>,
    error_detail: Option<String>,
    unproven_size: Option<Option<i64>>,
}

impl Changes {
    /// What is wrong, and how many bytes of its own stand there all the same.
    pub fn failed(failure: Failure, unproven_size: Option<u64>) -> Self {
        Self {
            error_code: Some(failure.code),
            error_detail: Some(failure.detail),
            unproven_size: Some(unproven_size.map(bytes)),
        }
    }
}

/// Takes an arrow: the row changes and its event is written, or nothing happens (`None`) because
/// the row is not in a state that the arrow starts from. What was extended since somebody found it
/// overdue does not expire: its client was promised more time. With a `lease_token`, nothing happens either
/// where the row is no longer held under that lease; the arrow ends the lease. Call it inside a
/// transaction.
pub async fn transition(
    connection: &mut Connection,
    id: Uuid,
    lease_token: Option<Uuid>,
    arrow: Transition,
    at: DateTime<Utc>,
    changes: Changes,
) -> Result<Option<Upload>> {
    let taken = transition_all(connection, &[id], lease_token, arrow, at, changes).await?;
    Ok(taken.into_iter().next())
}

/// The same for many rows: those that take the arrow.
pub(super) async fn transition_all(
    connection: &mut Connection,
    ids: &[Uuid],
    lease_token: Option<Uuid>,
    arrow: Transition,
    at: DateTime<Utc>,
    changes: Changes,
) -> Result<Vec<Upload>> {
    let from: Vec<_> = arrow.from().iter().map(|status| status.as_str()).collect();
    let is_overdue = (arrow != Transition::Expire)
        .into_sql::<Bool>()
        .or(uploads::expires_at.le(at));
    let rows = uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::status.eq_any(from))
        .filter(is_overdue)
        .filter(is_held_under(lease_token));
    let rows: Vec<Row> = diesel::update(rows)
        .set((
            uploads::status.eq(arrow.to().as_str()),
            uploads::updated_at.eq(at),
            uploads::sequence.eq(uploads::sequence + 1),
            // In its new state it waits for other things, and nobody has failed at them yet.
            WithoutLease::default(),
            uploads::janitor_due_at.eq(None::<DateTime<Utc>>),
            uploads::janitor_attempts.eq(0),
            changes,
        ))
        .returning(Row::as_returning())
        .get_results(connection)
        .await?;
    let taken = rows.into_iter().map(Row::into_upload);
    let taken: Vec<Upload> = taken.collect::<Result<_>>()?;
    if !taken.is_empty() {
        events::append(connection, EventType::of(arrow), &taken).await?;
    }
    Ok(taken)
}
