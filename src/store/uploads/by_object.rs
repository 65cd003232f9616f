//! From an object to the uploads that it concerns, whichever tenant's. Only what the store itself
//! says is looked up like this, never what a caller asks for.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::find::STANDING;
use super::row::Row;
use crate::domain::path::parent_folders;
use crate::domain::upload::Upload;
use crate::store::schema::{tenants, uploads};
use crate::store::{Connection, Result};

/// The upload that an object's metadata names, if there is one.
pub async fn find_in_any_tenant(connection: &mut Connection, id: Uuid) -> Result<Option<Upload>> {
    let row = uploads::table
        .find(id)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Row::into_upload).transpose()
}

/// The acknowledged uploads whose object stands at a key. More than one only where the key became
/// another tenant's, and both hold an upload there.
pub async fn find_acknowledged_at_key(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
) -> Result<Vec<Upload>> {
    let (tenants, paths) = places(connection, key).await?;
    let rows: Vec<Row> = at_key(bucket, key, &tenants, &paths)
        .filter(sql::<Bool>(STANDING))
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}

/// The uploads at a key, except for `except`, that count on the object there or may still be proven
/// by it. Waits for proofs that are being committed and returns their new state: after a removal was
/// registered and committed, each proof is either returned here or finds the removal. Call it
/// outside of a transaction, so that it holds no lock.
pub async fn find_relying_on_object(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
    except: Uuid,
) -> Result<Vec<Upload>> {
    let (tenants, paths) = places(connection, key).await?;
    let rows: Vec<Row> = at_key(bucket, key, &tenants, &paths)
        .filter(uploads::id.ne(except))
        .filter(sql::<Bool>(COUNTING))
        // In the order in which proofs lock rows, so that the two cannot deadlock.
        .order(uploads::id)
        .for_share()
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}

// Written out, not bound, as in `STANDING`.
const COUNTING: &str =
    "uploads.status IN ('Pending', 'Expired', 'Uploaded', 'Processing', 'Processed')";

/// The tenants and paths that a key may belong to: rows are indexed by these. They are the default
/// tenant's, whose key prefix is empty, and those of one other tenant at most.
async fn places(connection: &mut Connection, key: &str) -> Result<(Vec<String>, Vec<String>)> {
    let prefixes: Vec<&str> = std::iter::once("").chain(parent_folders(key)).collect();
    let owners: Vec<(String, String)> = tenants::table
        .filter(tenants::key_prefix.eq_any(prefixes))
        .select((tenants::name, tenants::key_prefix))
        .load(connection)
        .await?;
    let places = (owners.into_iter()).filter_map(|(name, prefix)| {
        let relative = key.strip_prefix(prefix.as_str())?;
        Some((name, format!("/{relative}")))
    });
    Ok(places.unzip())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn at_key<'a>(bucket: &'a str, key: &'a str, tenants: &'a [String], paths: &'a [String]) -> _ {
    uploads::table
        .filter(uploads::tenant.eq_any(tenants))
        .filter(uploads::path.eq_any(paths))
        .filter(uploads::bucket.eq(bucket))
        .filter(uploads::key.eq(key))
}
