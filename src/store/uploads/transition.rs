//! Status transitions. All changes of `status` are made here, except acknowledges, which are
//! batched and made by [`acknowledge`].
//!
//! [`acknowledge`]: super::acknowledge()
//!
//! A transition is a compare-and-set on the row and an INSERT of its event; the caller wraps both
//! in one transaction. Of two concurrent callers, one makes the transition and the other one gets
//! `None`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::cancel_jobs;
use super::janitor_lease::{WithoutLease, is_held_under};
use super::row::Row;
use super::unproven::bytes;
use crate::domain::event::EventType;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload};
use crate::store::columns::each;
use crate::store::schema::uploads;
use crate::store::{Connection, Result, documents, events, text_detections};

/// The columns that change with a transition, in addition to the status. `None` leaves a column
/// unchanged.
#[derive(AsChangeset, Default)]
#[diesel(table_name = uploads)]
pub struct Changes {
    error_code: Option<Option<String>>,
    error_detail: Option<Option<String>>,
    unproven_size: Option<Option<i64>>,
}

impl Changes {
    /// The reason of a failure, and the size in bytes of the wrong object that the URL of the
    /// upload has written, if any.
    pub fn failed(failure: Failure, unproven_size: Option<u64>) -> Self {
        Self {
            error_code: Some(Some(failure.code)),
            error_detail: Some(Some(failure.detail)),
            unproven_size: Some(unproven_size.map(bytes)),
        }
    }

    /// The reason why the processing of a proven object failed.
    pub(in crate::store) fn processing_failed(failure: Failure) -> Self {
        Self {
            error_code: Some(Some(failure.code)),
            error_detail: Some(Some(failure.detail)),
            unproven_size: None,
        }
    }

    /// Clears the reason of an earlier failure.
    pub(in crate::store) fn without_failure() -> Self {
        Self {
            error_code: Some(None),
            error_detail: Some(None),
            unproven_size: None,
        }
    }
}

/// Makes a transition: changes the row and inserts the event, which is published if its type is one
/// of `notified`. Call it inside a transaction. The transition ends a lease of the row.
///
/// Returns `None`, without changes, if the row does not have a status that the transition starts
/// from, or no longer has the lease with `lease_token`. An upload that was extended since it was
/// found overdue is not expired either, because its client was granted more time.
pub async fn transition(
    connection: &mut Connection,
    id: Uuid,
    lease_token: Option<Uuid>,
    transition: Transition,
    at: DateTime<Utc>,
    changes: Changes,
    notified: &NotifiedTypes,
) -> Result<Option<Upload>> {
    let ids = [id];
    let changed = transition_many(
        connection,
        &ids,
        lease_token,
        transition,
        at,
        changes,
        notified,
    );
    Ok(changed.await?.into_iter().next())
}

/// Makes a transition of many rows and inserts their events, and returns those that made it.
pub(in crate::store) async fn transition_many(
    connection: &mut Connection,
    ids: &[Uuid],
    lease_token: Option<Uuid>,
    transition: Transition,
    at: DateTime<Utc>,
    changes: Changes,
    notified: &NotifiedTypes,
) -> Result<Vec<Upload>> {
    let changed = change_status(connection, ids, lease_token, transition, at, changes).await?;
    if !changed.is_empty() {
        let kind = EventType::of(transition);
        events::append(connection, kind, &changed, notified).await?;
    }
    Ok(changed)
}

/// Makes a transition of many rows without their events, which the caller inserts. Uploads that are
/// replaced or deleted take their open jobs and their text along.
pub(super) async fn change_status(
    connection: &mut Connection,
    ids: &[Uuid],
    lease_token: Option<Uuid>,
    transition: Transition,
    at: DateTime<Utc>,
    changes: Changes,
) -> Result<Vec<Upload>> {
    let from: Vec<_> = transition
        .from()
        .iter()
        .map(|status| status.as_str())
        .collect();
    let is_overdue = (transition != Transition::Expire)
        .into_sql::<Bool>()
        .or(uploads::expires_at.le(at));
    let rows = uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::status.eq_any(from))
        .filter(is_overdue)
        .filter(is_held_under(lease_token));
    let rows: Vec<Row> = diesel::update(rows)
        .set((
            uploads::status.eq(transition.to().as_str()),
            uploads::updated_at.eq(at),
            uploads::sequence.eq(uploads::sequence + 1),
            // In its new status the row waits for other work, which has not failed yet.
            WithoutLease::default(),
            uploads::janitor_due_at.eq(None::<DateTime<Utc>>),
            uploads::janitor_attempts.eq(0),
            changes,
        ))
        .returning(Row::as_returning())
        .get_results(connection)
        .await?;
    let changed = rows.into_iter().map(Row::into_upload);
    let changed: Vec<Upload> = changed.collect::<Result<_>>()?;
    let takes_along = matches!(transition, Transition::Supersede | Transition::StartDelete);
    if takes_along && !changed.is_empty() {
        let ids = each(&changed, |upload| upload.id);
        cancel_jobs::cancel_open(connection, &ids, at).await?;
        documents::mark_removable(connection, &ids).await?;
        text_detections::remove_of_uploads(connection, &ids).await?;
    }
    Ok(changed)
}
