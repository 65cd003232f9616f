//! The tables `quota_usage` and `quota_changes`: what tenants with quotas take.
//!
//! Whoever makes uploads of such a tenant locks first the tenant against a change of its quotas,
//! then its usage against others who do the same, and adds to that. Every later change of an upload
//! that counts is noted by a trigger, in the transaction that makes it: what is in use is always
//! `quota_usage` and the changes that are not folded into it yet. Changes are only added and folded,
//! so that acknowledges and deletes wait for nobody here.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::quota_changes;
use super::{Connection, Result};
use crate::domain::quota::{Quota, Usage};

#[derive(QueryableByName)]
struct Limits {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    quota_bytes: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    quota_open_uploads: Option<i64>,
}

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    open_uploads: i64,
}

impl From<&Used> for Usage {
    /// Below nothing, as after an edit by hand, is nothing.
    fn from(used: &Used) -> Self {
        Self {
            bytes: u64::try_from(used.bytes).unwrap_or_default(),
            open_uploads: u64::try_from(used.open_uploads).unwrap_or_default(),
        }
    }
}

/// Those of `tenants` that have quotas, and what they take, held until the end of the transaction:
/// nobody else makes uploads of them meanwhile.
pub async fn lock_usage(
    connection: &mut Connection,
    tenants: &[&str],
) -> Result<HashMap<String, (Quota, Usage)>> {
    // In one order, so that two who want the same ones do not wait for each other.
    let limits: Vec<Limits> = diesel::sql_query(
        "SELECT tenants.name, tenants.quota_bytes, tenants.quota_open_uploads \
         FROM tenants JOIN quota_usage ON quota_usage.tenant = tenants.name \
         WHERE tenants.name = ANY($1) \
         AND (tenants.quota_bytes IS NOT NULL OR tenants.quota_open_uploads IS NOT NULL) \
         ORDER BY tenants.name FOR KEY SHARE OF tenants FOR UPDATE OF quota_usage",
    )
    .bind::<Array<Text>, _>(tenants)
    .load(connection)
    .await?;
    if limits.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&str> = limits.iter().map(|limits| limits.name.as_str()).collect();
    let used = fold(connection, &names).await?;
    let used: HashMap<&str, Usage> = (used.iter())
        .map(|used| (used.tenant.as_str(), used.into()))
        .collect();
    let long = |number: i64| u64::try_from(number).unwrap_or_default();
    let quota = |limits: &Limits| Quota {
        bytes: limits.quota_bytes.map(long),
        open_uploads: limits.quota_open_uploads.map(long),
    };
    Ok((limits.iter())
        .map(|limits| {
            let used = used.get(limits.name.as_str()).copied();
            (
                limits.name.clone(),
                (quota(limits), used.unwrap_or_default()),
            )
        })
        .collect())
}

/// Folds changes into what is in use. The caller holds the lock: a change that is committed
/// meanwhile is not lost, it stays for the next one.
async fn fold(connection: &mut Connection, tenants: &[&str]) -> Result<Vec<Used>> {
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

/// The tenants with changes that are not folded yet.
pub async fn tenants_with_changes(connection: &mut Connection) -> Result<Vec<String>> {
    quota_changes::table
        .select(quota_changes::tenant)
        .distinct()
        .load(connection)
        .await
}

/// Folds a tenant's changes, unless somebody is at it. Call it inside a transaction.
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

/// Begins to note the changes of a tenant's uploads, of about `limit` of those behind the id
/// `after` that do not count yet; returns the last one of them, if there was one.
///
/// The first quota of a tenant takes all its uploads, and each of them has to be locked for that.
/// So most of them begin to count ahead of [`count_anew`], a few at a time, each time in a
/// transaction of its own: a change of one of these rows waits for no longer than that takes. A row
/// that is locked is passed over.
///
/// Call it until it returns nothing. A tenant whose quota never comes is none the worse: the
/// changes are folded, and no create looks at them.
pub async fn start_counting(
    connection: &mut Connection,
    tenant: &str,
    after: Uuid,
    limit: i64,
) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Begun {
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
    // Those that cannot come back need not count.
    let begun: Vec<Begun> = diesel::sql_query(
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
    Ok(begun.into_iter().map(|begun| begun.id).max())
}

/// Counts everything that a tenant has, anew: when it gets quotas, and to put right what an edit
/// by hand has bent. Call it inside a transaction that holds the tenant; where that had no quotas
/// before, by [`super::tenants::hold_off_creates`], and behind [`begin_to_count`]: no row is locked
/// here but those that were left there.
pub async fn recount(connection: &mut Connection, tenant: &str) -> Result<Usage> {
    // In the order in which everybody locks uploads.
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
    // From here on nobody folds.
    diesel::sql_query(
        "INSERT INTO quota_usage (tenant, bytes, open_uploads) VALUES ($1, 0, 0) \
         ON CONFLICT (tenant) DO UPDATE SET bytes = 0",
    )
    .bind::<Text, _>(tenant)
    .execute(connection)
    .await?;
    // One statement, one look at all: exactly the changes that the count has seen are dropped.
    let used: Used = diesel::sql_query(
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

/// What a tenant takes: as it is kept where it has quotas, else counted now.
pub async fn usage(connection: &mut Connection, tenant: &str, kept: bool) -> Result<Usage> {
    let sql = match kept {
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
    let used: Used = diesel::sql_query(sql)
        .bind::<Text, _>(tenant)
        .get_result(connection)
        .await?;
    Ok(Usage::from(&used))
}
