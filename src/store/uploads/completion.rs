//! The lease of an acknowledge that completes an upload in parts.
//!
//! One process at a time makes an object of the parts. It goes before the janitor, whose own lease
//! it takes over: what a client acknowledges is not given up because its time is over.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::{FOR_THE_JANITOR, WithoutLease};
use super::row::Row;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, end_of, is_free};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Takes the lease of an upload that may be acknowledged, to complete it; the row as it is then,
/// worked on under that lease. `None` where another acknowledge holds it, or the upload cannot be
/// acknowledged any more.
pub async fn lease_for_completion(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
) -> Result<Option<Upload>> {
    let from = Transition::Acknowledge.from().iter();
    let is_the_janitors = uploads::held_for.eq(FOR_THE_JANITOR);
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq_any(from.map(|status| status.as_str())))
        .filter(is_free!(uploads, lease).or(is_the_janitors));
    let row: Option<Row> = diesel::update(row)
        .set((
            uploads::holder.eq(lease.token()),
            uploads::leased_until.eq(end_of!(lease)),
            uploads::held_for.eq("completion"),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    let upload = row.map(Row::into_upload).transpose()?;
    Ok(upload.map(|upload| upload.with_lease_token(lease.token())))
}

/// Gives the lease back, where the upload still has it.
pub async fn release_completion(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
) -> Result<()> {
    let held = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::holder.eq(lease.token()));
    diesel::update(held)
        .set(WithoutLease::default())
        .execute(connection)
        .await?;
    Ok(())
}
