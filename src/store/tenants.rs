//! The table `tenants`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::schema::tenants;
use super::{Connection, Result};
use crate::domain::jail::{DEFAULT_TENANT, Jail};
use crate::domain::quota::Quota;
use crate::domain::tenant::{Tenant, TenantPolicy};

/// The columns, in the table's order.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(diesel::pg::Pg))]
#[diesel(primary_key(name), treat_none_as_null = true)]
struct Row {
    name: String,
    // An update that names a column of a unique index locks the row against creates of uploads,
    // even if the value does not change.
    #[diesel(skip_update)]
    key_prefix: String,
    #[diesel(skip_update)]
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
    url_seconds: Option<i32>,
    max_url_seconds: Option<i32>,
    max_size: Option<i64>,
    content_types: Option<Vec<Option<String>>>,
    quota_bytes: Option<i64>,
    quota_open_uploads: Option<i64>,
    retention_days: Option<i32>,
    #[diesel(skip_update)]
    bucket: Option<String>,
}

impl From<&Tenant> for Row {
    /// Numbers that do not fit into a column become its largest value.
    fn from(tenant: &Tenant) -> Self {
        let int = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let policy = &tenant.policy;
        let patterns = policy.content_types.clone();
        Self {
            name: tenant.name.clone(),
            key_prefix: tenant.key_prefix.clone(),
            created_at: tenant.created_at,
            disabled_at: tenant.disabled_at,
            url_seconds: policy.url_seconds.map(int),
            max_url_seconds: policy.max_url_seconds.map(int),
            max_size: policy.max_size.map(long),
            content_types: patterns.map(|patterns| patterns.into_iter().map(Some).collect()),
            quota_bytes: tenant.quota.bytes.map(long),
            quota_open_uploads: tenant.quota.open_uploads.map(long),
            retention_days: tenant.retention_days.map(int),
            bucket: tenant.bucket.clone(),
        }
    }
}

impl From<Row> for Tenant {
    /// The constraints of the table rule out negative numbers.
    fn from(row: Row) -> Self {
        let int = |number: i32| u32::try_from(number).unwrap_or_default();
        let long = |number: i64| u64::try_from(number).unwrap_or_default();
        let patterns = row.content_types;
        Self {
            name: row.name,
            bucket: row.bucket,
            key_prefix: row.key_prefix,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            policy: TenantPolicy {
                url_seconds: row.url_seconds.map(int),
                max_url_seconds: row.max_url_seconds.map(int),
                max_size: row.max_size.map(long),
                content_types: patterns.map(|patterns| patterns.into_iter().flatten().collect()),
            },
            quota: Quota {
                bytes: row.quota_bytes.map(long),
                open_uploads: row.quota_open_uploads.map(long),
            },
            retention_days: row.retention_days.map(int),
        }
    }
}

/// Creates a tenant with the key prefix `NAME/`, unless one of that name exists. Returns whether it
/// was created.
pub async fn ensure_exists(
    connection: &mut Connection,
    name: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::insert_into(tenants::table)
        .values((
            tenants::name.eq(name),
            tenants::key_prefix.eq(format!("{name}/")),
            tenants::created_at.eq(at),
        ))
        .on_conflict(tenants::name)
        .do_nothing()
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// Creates a tenant. Returns `false` if one of that name exists.
///
/// # Errors
/// The key prefix is inside that of another tenant, or contains it.
pub async fn insert(connection: &mut Connection, tenant: &Tenant) -> Result<bool> {
    let rows = diesel::insert_into(tenants::table)
        .values(Row::from(tenant))
        .on_conflict(tenants::name)
        .do_nothing()
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// Finds a tenant, disabled or not.
pub async fn find(connection: &mut Connection, name: &str) -> Result<Option<Tenant>> {
    let row: Option<Row> = tenants::table
        .find(name)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(Tenant::from))
}

/// Finds a tenant and locks it against other changes until the end of the transaction. Uploads of
/// the tenant can still be created.
pub async fn lock(connection: &mut Connection, name: &str) -> Result<Option<Tenant>> {
    let row: Option<Row> = tenants::table
        .find(name)
        .for_no_key_update()
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(Tenant::from))
}

/// Blocks the creation of uploads of the tenant until the end of the transaction. Waits for
/// transactions that are creating some.
pub async fn block_creates(connection: &mut Connection, name: &str) -> Result<()> {
    let locked = tenants::table.find(name).for_update();
    let locked = locked.select(tenants::name).load::<String>(connection);
    locked.await.map(drop)
}

/// Lists all tenants by name.
pub async fn list(connection: &mut Connection) -> Result<Vec<Tenant>> {
    let rows: Vec<Row> = tenants::table
        .order(tenants::name)
        .select(Row::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// Updates the limits of a tenant and whether it is disabled. Its name, bucket, key prefix and
/// creation time do not change.
pub async fn update(connection: &mut Connection, tenant: &Tenant) -> Result<()> {
    diesel::update(tenants::table.find(&tenant.name))
        .set(Row::from(tenant))
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns the jail of a tenant, disabled or not; `None` if there is no such tenant. Open uploads
/// of a disabled tenant are still confined to it.
///
/// The jail of the default tenant is the whole bucket except the jails of the other tenants.
pub async fn jail(connection: &mut Connection, name: &str) -> Result<Option<Jail>> {
    match find(connection, name).await? {
        Some(tenant) => Ok(Some(jail_of(connection, &tenant).await?)),
        None => Ok(None),
    }
}

async fn jail_of(connection: &mut Connection, tenant: &Tenant) -> Result<Jail> {
    let others = match &*tenant.name {
        DEFAULT_TENANT => {
            tenants::table
                .filter(tenants::name.ne(DEFAULT_TENANT))
                .select(tenants::key_prefix)
                .load(connection)
                .await?
        }
        _ => Vec::new(),
    };
    Ok(Jail::new(&tenant.key_prefix, others).in_bucket(tenant.bucket.as_deref()))
}

/// Returns the jail and the limits of a tenant; `None` if there is no such tenant or it is
/// disabled, in which case its credentials are invalid.
pub async fn find_enabled(
    connection: &mut Connection,
    name: &str,
) -> Result<Option<(Jail, TenantPolicy)>> {
    let Some(tenant) = find(connection, name).await? else {
        return Ok(None);
    };
    if tenant.disabled_at.is_some() {
        return Ok(None);
    }
    let jail = jail_of(connection, &tenant).await?;
    Ok(Some((jail, tenant.policy)))
}

/// Lists the names and key prefixes of the tenants in `bucket`. Tenants without a bucket of their
/// own are in the bucket `common`.
pub async fn prefixes(
    connection: &mut Connection,
    bucket: &str,
    common: &str,
) -> Result<Vec<(String, String)>> {
    let rows: Vec<(String, String, Option<String>)> = tenants::table
        .select((tenants::name, tenants::key_prefix, tenants::bucket))
        .load(connection)
        .await?;
    let here = |own: &Option<String>| own.as_deref().unwrap_or(common) == bucket;
    let rows = rows.into_iter().filter(|(.., own)| here(own));
    Ok(rows.map(|(name, prefix, _)| (name, prefix)).collect())
}

/// Lists the buckets that are a tenant's own, by name.
pub async fn buckets(connection: &mut Connection) -> Result<Vec<String>> {
    tenants::table
        .filter(tenants::bucket.is_not_null())
        .select(tenants::bucket.assume_not_null())
        .distinct()
        .order(tenants::bucket)
        .load(connection)
        .await
}

/// Whether this bucket is a tenant's own.
pub async fn has_bucket(connection: &mut Connection, bucket: &str) -> Result<bool> {
    let owners = tenants::table.filter(tenants::bucket.eq(bucket));
    diesel::select(diesel::dsl::exists(owners))
        .get_result(connection)
        .await
}
