//! The deadline of a Pending upload.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::status::Status;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Moves the deadline of a Pending upload to `until`, never back. `false` where it is not Pending.
pub async fn extend(connection: &mut Connection, id: Uuid, until: DateTime<Utc>) -> Result<bool> {
    let pending = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq(Status::Pending.as_str()));
    let rows = diesel::update(pending)
        .set(uploads::expires_at.eq(greatest(uploads::expires_at, until)))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The later of two times.
    fn greatest(one: Timestamptz, other: Timestamptz) -> Timestamptz;
}
