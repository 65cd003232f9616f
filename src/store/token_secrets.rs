//! The table `token_secrets`: what upload tokens are signed with, where no setting says.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::schema::token_secrets;
use super::{Connection, Result};

const PURPOSE: &str = "upload-tokens";

/// The secret that is there; `fresh`, 32 bytes, from now on where there is none. Of replicas that
/// ask at once, one makes it and all get the same.
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
