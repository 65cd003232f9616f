//! The table `token_secrets`: the secret that signs upload tokens if no setting provides one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::schema::token_secrets;
use super::{Connection, Result};

const PURPOSE: &str = "upload-tokens";

/// Returns the stored secret, after storing `fresh` (32 bytes) if there is none. Replicas that call
/// this at the same time all get the same secret.
pub async fn get_or_insert(
    connection: &mut Connection,
    fresh: &[u8],
    at: DateTime<Utc>,
) -> Result<Vec<u8>> {
    diesel::insert_into(token_secrets::table)
        .values((
            token_secrets::purpose.eq(PURPOSE),
            token_secrets::secret.eq(fresh),
            token_secrets::created_at.eq(at),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    token_secrets::table
        .find(PURPOSE)
        .select(token_secrets::secret)
        .first(connection)
        .await
}
