//! The table `tenants`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::schema::tenants;
use super::{Connection, Result};
use crate::domain::jail::{DEFAULT_TENANT, Jail};

/// Makes a tenant with the prefix `NAME/`, unless there is one of that name; whether it did.
pub async fn ensure(connection: &mut Connection, name: &str, at: DateTime<Utc>) -> Result<bool> {
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

/// The part of the bucket that a tenant lives in, or nothing where there is no such tenant.
///
/// The default tenant's jail is the whole bucket, less the jails of the others.
pub async fn jail(connection: &mut Connection, name: &str) -> Result<Option<Jail>> {
    let all: Vec<(String, String)> = if name == DEFAULT_TENANT {
        tenants::table
            .select((tenants::name, tenants::key_prefix))
            .load(connection)
            .await?
    } else {
        tenants::table
            .filter(tenants::name.eq(name))
            .select((tenants::name, tenants::key_prefix))
            .load(connection)
            .await?
    };
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(each, _)| each == name);
    let others = others.into_iter().map(|(_, prefix)| prefix).collect();
    let own = own.into_iter().next();
    Ok(own.map(|(_, prefix)| Jail::new(&prefix, others)))
}

/// The name and the key prefix of every tenant.
pub async fn prefixes(connection: &mut Connection) -> Result<Vec<(String, String)>> {
    tenants::table
        .select((tenants::name, tenants::key_prefix))
        .load(connection)
        .await
}
