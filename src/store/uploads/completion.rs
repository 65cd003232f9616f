//! The lease of an acknowledge that completes a multipart upload.
//!
//! Only one process at a time assembles the object. It takes precedence over the janitor and takes
//! over its lease: an upload that the client acknowledges is not expired because its deadline has
//! passed.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::{HELD_FOR_JANITOR, WithoutLease};
use super::row::Row;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, is_free, lease_expiry};
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Leases an upload that may be acknowledged, in order to complete it. Returns the current row,
/// with the token of the lease. `None` if another acknowledge holds a lease, or the upload cannot
/// be acknowledged any more.
pub async fn lease_for_completion(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
) -> Result<Option<Upload>> {
    let from = Transition::Acknowledge.from().iter();
    let is_leased_by_janitor = uploads::held_for.eq(HELD_FOR_JANITOR);
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq_any(from.map(|status| status.as_str())))
        .filter(is_free!(uploads, lease).or(is_leased_by_janitor));
    let row: Option<Row> = diesel::update(row)
        .set((
            uploads::holder.eq(lease.token()),
            uploads::leased_until.eq(lease_expiry!(lease)),
            uploads::held_for.eq("completion"),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    let upload = row.map(Row::into_upload).transpose()?;
    Ok(upload.map(|upload| upload.with_lease_token(lease.token())))
}

/// Releases the lease, if the upload still has it.
pub async fn release_completion(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
) -> Result<()> {
    let leased = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::holder.eq(lease.token()));
    diesel::update(leased)
        .set(WithoutLease::default())
        .execute(connection)
        .await?;
    Ok(())
}
