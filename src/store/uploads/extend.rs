//! Extension of the deadline of Pending uploads.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::columns::each;
use crate::store::{Connection, Result};

/// Moves the deadline of a Pending upload to `until`, but never to an earlier time. Returns `false`
/// if it is not Pending.
pub async fn extend(connection: &mut Connection, id: Uuid, until: DateTime<Utc>) -> Result<bool> {
    let extended = extend_many(connection, &[(id, until)]).await?;
    Ok(extended.contains(&id))
}

/// Moves the deadlines of many uploads, but never to an earlier time. Returns those that are
/// Pending.
pub async fn extend_many(
    connection: &mut Connection,
    deadlines: &[(Uuid, DateTime<Utc>)],
) -> Result<HashSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Extended {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    // Uploads are always locked in the order of their ids.
    let extended: Vec<Extended> = diesel::sql_query(
        "UPDATE uploads SET expires_at = greatest(uploads.expires_at, next.until) FROM ( \
             SELECT uploads.id, asked.until FROM unnest($1, $2) AS asked (id, until) \
             JOIN uploads ON uploads.id = asked.id ORDER BY uploads.id \
             FOR NO KEY UPDATE OF uploads) AS next \
         WHERE uploads.id = next.id AND uploads.status = 'Pending' RETURNING uploads.id",
    )
    .bind::<Array<SqlUuid>, _>(each(deadlines, |(id, _)| *id))
    .bind::<Array<Timestamptz>, _>(each(deadlines, |(_, until)| *until))
    .load(connection)
    .await?;
    Ok(extended.into_iter().map(|row| row.id).collect())
}
