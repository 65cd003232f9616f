//! Acknowledged uploads in the order in which S3 lists their objects.

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::{Connection, Result};

/// The columns of an acknowledged upload that are compared with a listing.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct ProvenRow {
    /// The upload.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The tenant of the upload.
    #[diesel(sql_type = Text)]
    pub tenant: String,
    /// The key of the object.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// The bucket of the object.
    #[diesel(sql_type = Text)]
    pub bucket: String,
    /// The ETag of the proven object.
    #[diesel(sql_type = Nullable<Text>)]
    pub etag: Option<String>,
    /// Whether a drift of the object is recorded.
    #[diesel(sql_type = Bool)]
    pub drifted: bool,
}

/// Lists at most `limit` acknowledged uploads of all tenants in the byte order of their keys, and
/// those of one key in the order of their ids.
///
/// `after` is the last upload of the previous page. To start after all uploads of a key, pass the
/// key with the greatest id.
pub async fn proven_page(
    connection: &mut Connection,
    after: Option<(&str, Uuid)>,
    limit: i64,
) -> Result<Vec<ProvenRow>> {
    // The empty key sorts before every other key.
    let (key, id) = after.unwrap_or(("", Uuid::nil()));
    // The collation "C" gives byte order for any collation of the database. The condition must be
    // the one of the partial index.
    diesel::sql_query(
        "SELECT id, tenant, key, bucket, object_etag AS etag, drift IS NOT NULL AS drifted \
         FROM uploads WHERE status IN ('Uploaded', 'Processing', 'Processed') \
         AND (key COLLATE \"C\", id) > ($1 COLLATE \"C\", $2) \
         ORDER BY key COLLATE \"C\", id LIMIT $3",
    )
    .bind::<Text, _>(key)
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await
}

/// A path of a tenant that a key may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedTenantPath {
    /// The tenant.
    pub tenant: String,
    /// The path, as the tenant sees it.
    pub path: String,
}

/// Returns the indexes of those `paths` that have or had any upload.
pub async fn paths_with_uploads(
    connection: &mut Connection,
    paths: &[OwnedTenantPath],
) -> Result<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let tenants: Vec<_> = paths.iter().map(|path| path.tenant.as_str()).collect();
    let paths: Vec<_> = paths.iter().map(|path| path.path.as_str()).collect();
    let found: Vec<Found> = diesel::sql_query(
        "SELECT spot.number - 1 AS number \
         FROM unnest($1, $2) WITH ORDINALITY AS spot (tenant, path, number) \
         WHERE EXISTS (SELECT 1 FROM uploads \
                       WHERE uploads.tenant = spot.tenant AND uploads.path = spot.path)",
    )
    .bind::<Array<Text>, _>(tenants)
    .bind::<Array<Text>, _>(paths)
    .load(connection)
    .await?;
    Ok(found.into_iter().map(|found| found.number).collect())
}
