//! The table `token_uses`: how much upload tokens have been used.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Int8, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::token_uses;
use super::{Connection, Result};
use crate::domain::bounds::Allowance;

/// How much a token has been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// The number of uploads.
    pub uploads: u64,
    /// The declared bytes of these uploads.
    pub bytes: u64,
}

/// Locks the usage of tokens until the end of the transaction, and returns it by token. Call it
/// inside the transaction that uses the tokens: other transactions that use them wait here until it
/// ends.
pub async fn lock_usage(
    connection: &mut Connection,
    allowances: &[Allowance],
) -> Result<HashMap<Uuid, TokenUsage>> {
    let mut sorted: Vec<_> = allowances.iter().collect();
    // All transactions lock tokens in the same order, so that they cannot deadlock.
    sorted.sort_by_key(|one| one.token);
    let rows: Vec<_> = (sorted.into_iter())
        .map(|one| {
            (
                token_uses::id.eq(one.token),
                token_uses::uploads.eq(0),
                token_uses::bytes.eq(0),
                token_uses::expires_at.eq(one.ends_at),
            )
        })
        .collect();
    let rows: Vec<(Uuid, i64, i64)> = diesel::insert_into(token_uses::table)
        .values(rows)
        .on_conflict(token_uses::id)
        .do_update()
        .set(token_uses::uploads.eq(token_uses::uploads))
        .returning((token_uses::id, token_uses::uploads, token_uses::bytes))
        .load(connection)
        .await?;
    let used = |uploads, bytes| TokenUsage {
        uploads: u64::try_from(uploads).unwrap_or_default(),
        bytes: u64::try_from(bytes).unwrap_or_default(),
    };
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, uploads, bytes)| (id, used(uploads, bytes)))
        .collect())
}

/// Adds `more` to the usage of each of the tokens.
pub async fn add_usage(
    connection: &mut Connection,
    allowances: &[Allowance],
    more: TokenUsage,
) -> Result<()> {
    let ids: Vec<Uuid> = allowances.iter().map(|one| one.token).collect();
    let uploads = i64::try_from(more.uploads).unwrap_or(i64::MAX);
    let bytes = i64::try_from(more.bytes).unwrap_or(i64::MAX);
    diesel::update(token_uses::table.filter(token_uses::id.eq_any(ids)))
        .set((
            token_uses::uploads.eq(token_uses::uploads + uploads),
            token_uses::bytes.eq(token_uses::bytes + bytes),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the usage of at most `limit` tokens that expired before `before`, and returns how many.
pub async fn delete_expired(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    diesel::sql_query(
        "DELETE FROM token_uses WHERE id IN (SELECT id FROM token_uses WHERE expires_at <= $1 \
         ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<Int8, _>(limit)
    .execute(connection)
    .await
}

/// Counts the tokens that expired before `before`.
pub async fn count_expired(connection: &mut Connection, before: DateTime<Utc>) -> Result<i64> {
    token_uses::table
        .filter(token_uses::expires_at.le(before))
        .count()
        .get_result(connection)
        .await
}
