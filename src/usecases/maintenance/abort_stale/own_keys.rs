//! Whose multipart upload it is, where no row knows it.

use std::collections::HashSet;

use crate::objects::multipart::OpenUpload;
use crate::store::tenants;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::maintenance::sweep;

/// The keys that are the broker's own: under the prefix of a tenant that has one, or promised to
/// an upload.
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
