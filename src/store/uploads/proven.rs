//! What must stand in the bucket, in the order in which S3 lists it.

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::{Connection, Result};

/// An acknowledged upload, as far as a listing can be compared with it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct ProvenRow {
    /// The upload.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Tenants it is.
    #[diesel(sql_type = Text)]
    pub tenant: String,
    /// Its key.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// Where its object went.
    #[diesel(sql_type = Text)]
    pub bucket: String,
    /// The ETag that was proven.
    #[diesel(sql_type = Nullable<Text>)]
    pub etag: Option<String>,
    /// Whether it is noted that the object is gone or another one.
    #[diesel(sql_type = Bool)]
    pub drifted: bool,
}

/// At most `limit` acknowledged uploads of every tenant in the order of their keys' bytes, those
/// of one key by their id. `after` is the last one of the page before; to begin behind a key, the
/// key with the greatest id.
pub async fn proven_page(
    connection: &mut Connection,
    after: Option<(&str, Uuid)>,
    limit: i64,
) -> Result<Vec<ProvenRow>> {
    // Every key is behind the empty one.
    let (key, id) = after.unwrap_or(("", Uuid::nil()));
    // Byte order whatever the database's collation is, and the words of the partial index.
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

/// A place of a tenant's that a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedTenantPath {
    /// Tenants.
    pub tenant: String,
    /// The path there.
    pub path: String,
}

/// Which of these places any upload was ever promised, as indexes into `spots`.
pub async fn paths_with_uploads(
    connection: &mut Connection,
    spots: &[OwnedTenantPath],
) -> Result<Vec<i64>> {
    #[derive(QueryableByName)]
    struct TenantPath {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let tenants: Vec<_> = spots.iter().map(|spot| spot.tenant.as_str()).collect();
    let paths: Vec<_> = spots.iter().map(|spot| spot.path.as_str()).collect();
    let places: Vec<TenantPath> = diesel::sql_query(
        "SELECT spot.number - 1 AS number \
         FROM unnest($1, $2) WITH ORDINALITY AS spot (tenant, path, number) \
         WHERE EXISTS (SELECT 1 FROM uploads \
                       WHERE uploads.tenant = spot.tenant AND uploads.path = spot.path)",
    )
    .bind::<Array<Text>, _>(tenants)
    .bind::<Array<Text>, _>(paths)
    .load(connection)
    .await?;
    Ok(places.into_iter().map(|place| place.number).collect())
}
