//! Finds the uploads that an object belongs to, in any tenant. These functions are only for objects
//! that the store reports, never for requests of a caller.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::acknowledged::find_acknowledged_of_tenants;
use super::row::Row;
use crate::domain::path::parent_folders;
use crate::domain::upload::Upload;
use crate::store::columns::each;
use crate::store::schema::{tenants, uploads};
use crate::store::{Connection, Result};

/// Finds the upload that the metadata of an object names.
pub async fn find_in_any_tenant(connection: &mut Connection, id: Uuid) -> Result<Option<Upload>> {
    let row = uploads::table
        .find(id)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Row::into_upload).transpose()
}

/// Finds the acknowledged uploads whose object is at a key. There is more than one only if the key
/// has become that of another tenant, and both have an upload there.
pub async fn find_acknowledged_at_key(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
) -> Result<Vec<Upload>> {
    let (tenants, paths) = owners_of(connection, key).await?;
    let (tenants, paths) = (each(&tenants, |name| &**name), each(&paths, |path| &**path));
    let mut found = find_acknowledged_of_tenants(connection, &tenants, &paths).await?;
    found.retain(|upload| upload.bucket == bucket && upload.key == key);
    Ok(found)
}

/// Finds the uploads at a key, except for `except`, that rely on the object there or may still be
/// proven by it.
///
/// It waits for proofs that are being committed, and returns their new state: after a removal was
/// registered and committed, each proof is either returned here or finds the removal. Call it
/// outside a transaction, so that it keeps no locks.
pub async fn find_relying_on_object(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
    except: Uuid,
) -> Result<Vec<Upload>> {
    let (tenants, paths) = owners_of(connection, key).await?;
    let rows: Vec<Row> = uploads::table
        .filter(uploads::tenant.eq_any(tenants))
        .filter(uploads::path.eq_any(paths))
        .filter(uploads::bucket.eq(bucket))
        .filter(uploads::key.eq(key))
        .filter(uploads::id.ne(except))
        .filter(sql::<Bool>(RELYING_ON_OBJECT))
        // Proofs lock rows in the same order, so that the two cannot deadlock.
        .order(uploads::id)
        .for_share()
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}

// A literal instead of bind parameters, for the same reason as `ACKNOWLEDGED`.
const RELYING_ON_OBJECT: &str =
    "uploads.status IN ('Pending', 'Expired', 'Uploaded', 'Processing', 'Processed')";

/// Returns the tenants and paths that a key may belong to, because rows are indexed by these: the
/// default tenant, whose key prefix is empty, and at most one other tenant.
async fn owners_of(connection: &mut Connection, key: &str) -> Result<(Vec<String>, Vec<String>)> {
    let prefixes: Vec<&str> = std::iter::once("").chain(parent_folders(key)).collect();
    let owners: Vec<(String, String)> = tenants::table
        .filter(tenants::key_prefix.eq_any(prefixes))
        .select((tenants::name, tenants::key_prefix))
        .load(connection)
        .await?;
    let paths = (owners.into_iter()).filter_map(|(name, prefix)| {
        let relative = key.strip_prefix(prefix.as_str())?;
        Some((name, format!("/{relative}")))
    });
    Ok(paths.unzip())
}
