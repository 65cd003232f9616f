//! Decides whether a multipart upload without a row belongs to the broker, by its key.

use std::collections::HashSet;

use crate::objects::multipart::OpenUpload;
use crate::store::tenants;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::maintenance::sweep;

/// Returns the keys that belong to the broker: under the non-empty prefix of a tenant, or at the
/// path of an upload.
pub(super) async fn own_keys(
    broker: &Broker,
    bucket: &str,
    unknown: &[OpenUpload],
) -> Result<HashSet<String>> {
    let mut connection = broker.connection().await?;
    let common = broker.stores.buckets.common();
    let prefixes = tenants::prefixes(&mut connection, bucket, common).await?;
    drop(connection);
    let is_under = |key: &str| {
        let mut prefixes = prefixes.iter().filter(|(_, prefix)| !prefix.is_empty());
        prefixes.any(|(_, prefix)| key.starts_with(prefix.as_str()))
    };
    let keys = unknown.iter().map(|open| open.key.clone());
    let (own, others): (Vec<_>, Vec<_>) = keys.partition(|key| is_under(key));
    let mut own: HashSet<_> = own.into_iter().collect();
    own.extend(
        sweep::owned_paths(broker, bucket, &others)
            .await?
            .into_keys(),
    );
    Ok(own)
}
