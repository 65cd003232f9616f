//! The tables `quota_usage` and `quota_changes`: the usage of tenants with quotas.
//!
//! A transaction that creates uploads of such a tenant first locks the tenant row against a change
//! of its quotas, then locks the usage row against other creates, and adds to the usage. A trigger
//! records every later change of a counted upload, in the transaction that makes the change. The
//! current usage is always `quota_usage` plus the changes that are not folded into it yet. Changes
//! are only inserted and folded, so acknowledges and deletes never wait for a lock here.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::quota_changes;
use super::{Connection, Result};
use crate::domain::quota::{Quota, Usage};

#[derive(QueryableByName)]
struct QuotaRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    quota_bytes: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    quota_open_uploads: Option<i64>,
}

#[derive(QueryableByName)]
struct UsageRow {
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    open_uploads: i64,
}

impl From<&UsageRow> for Usage {
    /// Negative numbers, which a manual edit may cause, become 0.
    fn from(used: &UsageRow) -> Self {
        Self {
            bytes: u64::try_from(used.bytes).unwrap_or_default(),
            open_uploads: u64::try_from(used.open_uploads).unwrap_or_default(),
        }
    }
}

/// Locks the usage of those of `tenants` that have quotas until the end of the transaction, and
/// returns their quotas and usage. Meanwhile no other transaction can create uploads of these
/// tenants.
pub async fn lock_usage(
    connection: &mut Connection,
    tenants: &[&str],
) -> Result<HashMap<String, (Quota, Usage)>> {
    // Sorted, so that two transactions that lock the same tenants cannot deadlock.
    let quotas: Vec<QuotaRow> = diesel::sql_query(
        "SELECT tenants.name, tenants.quota_bytes, tenants.quota_open_uploads \
         FROM tenants JOIN quota_usage ON quota_usage.tenant = tenants.name \
         WHERE tenants.name = ANY($1) \
         AND (tenants.quota_bytes IS NOT NULL OR tenants.quota_open_uploads IS NOT NULL) \
         ORDER BY tenants.name FOR KEY SHARE OF tenants FOR UPDATE OF quota_usage",
    )
    .bind::<Array<Text>, _>(tenants)
    .load(connection)
    .await?;
    if quotas.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&str> = quotas.iter().map(|row| row.name.as_str()).collect();
    let used = fold(connection, &names).await?;
    let used: HashMap<&str, Usage> = (used.iter())
        .map(|used| (used.tenant.as_str(), used.into()))
        .collect();
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let quota = |row: &QuotaRow| Quota {
        bytes: row.quota_bytes.map(unsigned),
        open_uploads: row.quota_open_uploads.map(unsigned),
    };
    Ok((quotas.iter())
        .map(|row| {
            let used = used.get(row.name.as_str()).copied();
            (row.name.clone(), (quota(row), used.unwrap_or_default()))
        })
        .collect())
}

/// Folds the recorded changes into the usage. The caller holds the lock of the usage. A change that
/// is committed meanwhile is not lost: the next call folds it.
async fn fold(connection: &mut Connection, tenants: &[&str]) -> Result<Vec<UsageRow>> {
    diesel::sql_query(
        "WITH gone AS (DELETE FROM quota_changes WHERE tenant = ANY($1) \
                       RETURNING tenant, bytes, open_uploads), \
         sums AS (SELECT tenant, sum(bytes)::bigint AS bytes, \
                         sum(open_uploads)::bigint AS open_uploads FROM gone GROUP BY tenant) \
         UPDATE quota_usage SET \
         bytes = quota_usage.bytes + coalesce( \
             (SELECT bytes FROM sums WHERE sums.tenant = quota_usage.tenant), 0), \
         open_uploads = quota_usage.open_uploads + coalesce( \
             (SELECT open_uploads FROM sums WHERE sums.tenant = quota_usage.tenant), 0) \
         WHERE tenant = ANY($1) RETURNING tenant, bytes, open_uploads",
    )
    .bind::<Array<Text>, _>(tenants)
    .load(connection)
    .await
}

/// Lists the tenants with changes that are not folded yet.
pub async fn tenants_with_changes(connection: &mut Connection) -> Result<Vec<String>> {
    quota_changes::table
        .select(quota_changes::tenant)
        .distinct()
        .load(connection)
        .await
}

/// Folds the changes of a tenant, unless another transaction has locked its usage. Call it inside a
/// transaction.
pub async fn fold_changes(connection: &mut Connection, tenant: &str) -> Result<()> {
    let free = diesel::sql_query(
        "SELECT tenant FROM quota_usage WHERE tenant = $1 FOR UPDATE SKIP LOCKED",
    )
    .bind::<Text, _>(tenant)
    .execute(connection)
    .await?;
    if free == 1 {
        fold(connection, &[tenant]).await?;
    }
    Ok(())
}

/// Starts to record the changes of about `limit` uploads of a tenant that are not counted yet, in
/// the order of their ids, starting after the id `after`. Returns the last of them, or `None` if these
/// were the last uploads of the tenant.
///
/// When a tenant gets its first quota, all its uploads have to be counted, and each of them has to
/// be locked for that. So most of them are marked as counted before [`recount`], a few at a time, in
/// short transactions: a change of one of these rows does not wait longer than such a transaction
/// takes. Locked rows are skipped.
///
/// Call it until it returns `None`; uploads that the tenant creates from then on are left to [`recount`].
/// If the quota is never set, nothing breaks: the changes are
/// folded, and no create reads them.
pub async fn start_counting(
    connection: &mut Connection,
    tenant: &str,
    after: Uuid,
    limit: i64,
) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Marked {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    diesel::sql_query(
        "INSERT INTO quota_usage (tenant, bytes, open_uploads) VALUES ($1, 0, 0) \
         ON CONFLICT (tenant) DO NOTHING",
    )
    .bind::<Text, _>(tenant)
    .execute(connection)
    .await?;
    // Uploads in a final status without an object need not be counted.
    let marked: Vec<Marked> = diesel::sql_query(
        "UPDATE uploads SET counted = true FROM ( \
             SELECT id FROM uploads WHERE tenant = $1 AND id > $2 AND NOT counted \
             AND status NOT IN ('Cancelled', 'Deleted', 'Superseded') \
             ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) AS next \
         WHERE uploads.id = next.id RETURNING uploads.id",
    )
    .bind::<Text, _>(tenant)
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    // Fewer than that are the last ones. A tenant that goes on creating uploads would always have some
    // more.
    let is_full = i64::try_from(marked.len()).is_ok_and(|count| count >= limit);
    let last = marked.into_iter().map(|row| row.id).max();
    Ok(last.filter(|_| is_full))
}

/// Counts the usage of a tenant from its uploads: when it gets quotas, and to correct the usage
/// after a manual edit.
///
/// Call it inside a transaction that has locked the tenant. If the tenant had no quotas before, lock
/// it by [`super::tenants::block_creates`], after calling [`start_counting`]: then this function
/// only locks the uploads that [`start_counting`] has skipped.
pub async fn recount(connection: &mut Connection, tenant: &str) -> Result<Usage> {
    // Uploads are always locked in the order of their ids.
    diesel::sql_query(
        "UPDATE uploads SET counted = true FROM ( \
             SELECT id FROM uploads WHERE tenant = $1 AND NOT counted \
             AND status NOT IN ('Cancelled', 'Deleted', 'Superseded') \
             ORDER BY id FOR NO KEY UPDATE) AS left_over \
         WHERE uploads.id = left_over.id",
    )
    .bind::<Text, _>(tenant)
    .execute(connection)
    .await?;
    // This locks the usage row: from here on no other transaction folds changes.
    diesel::sql_query(
        "INSERT INTO quota_usage (tenant, bytes, open_uploads) VALUES ($1, 0, 0) \
         ON CONFLICT (tenant) DO UPDATE SET bytes = 0",
    )
    .bind::<Text, _>(tenant)
    .execute(connection)
    .await?;
    // One statement uses one snapshot, so exactly the changes that the count includes are deleted.
    let used: UsageRow = diesel::sql_query(
        "WITH gone AS (DELETE FROM quota_changes WHERE tenant = $1) \
         UPDATE quota_usage SET (bytes, open_uploads) = \
         (SELECT coalesce(sum(quota_bytes_of( \
                     status, greatest(size, signed_size), object_size, unproven_size)), 0), \
                 count(*) FILTER (WHERE status = 'Pending') \
          FROM uploads WHERE uploads.tenant = $1 AND counted) \
         WHERE tenant = $1 RETURNING tenant, bytes, open_uploads",
    )
    .bind::<Text, _>(tenant)
    .get_result(connection)
    .await?;
    Ok(Usage::from(&used))
}

/// Returns the usage of a tenant: the recorded usage if `is_recorded`, which is the case if the
/// tenant has quotas, and otherwise counted from its uploads.
pub async fn usage(connection: &mut Connection, tenant: &str, is_recorded: bool) -> Result<Usage> {
    let sql = match is_recorded {
        true => {
            "SELECT $1 AS tenant, coalesce(sum(bytes), 0)::bigint AS bytes, \
             coalesce(sum(open_uploads), 0)::bigint AS open_uploads \
             FROM (SELECT bytes, open_uploads FROM quota_usage WHERE tenant = $1 \
                   UNION ALL SELECT bytes, open_uploads FROM quota_changes WHERE tenant = $1) used"
        }
        false => {
            "SELECT $1 AS tenant, \
             coalesce(sum(quota_bytes_of( \
                 status, greatest(size, signed_size), object_size, unproven_size)), 0)::bigint AS bytes, \
             count(*) FILTER (WHERE status = 'Pending') AS open_uploads \
             FROM uploads WHERE uploads.tenant = $1"
        }
    };
    let used: UsageRow = diesel::sql_query(sql)
        .bind::<Text, _>(tenant)
        .get_result(connection)
        .await?;
    Ok(Usage::from(&used))
}
