//! Checks each difference again, with the current row and a HEAD of the object.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::merge::Difference;
use super::mode::Mode;
use crate::domain::drift::Drift;
use crate::domain::finding::{Finding, FindingKind, Outcome};
use crate::domain::path::DatasetPath;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::tenants;
use crate::store::uploads::{self, OwnedTenantPath, ProvenRow};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::maintenance::expire::{self, ExpireOutcome};
use crate::usecases::uploads::check_drift;

/// The number of concurrent checks. Each needs a HEAD and a few short queries.
const CONCURRENT_CHECKS: usize = 4;

/// Checks the differences again, and returns those that still exist as findings.
pub(super) async fn inspect_differences(
    broker: &Arc<Broker>,
    bucket: &str,
    mode: Mode,
    differences: Vec<Difference>,
) -> Result<Vec<Finding>> {
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    for difference in differences {
        match difference {
            Difference::Row(row) => rows.push(row),
            Difference::Object(key) => keys.push(key),
        }
    }
    let of_rows: Vec<_> = stream::iter(rows)
        .map(|row| inspect_row(broker, mode, row))
        .buffered(CONCURRENT_CHECKS)
        .try_collect()
        .await?;
    let mut owned = owned_paths(broker, bucket, &keys).await?;
    let of_keys: Vec<_> = stream::iter(keys)
        .map(|key| {
            let paths = owned.remove(&key).unwrap_or_default();
            inspect_key(broker, bucket, mode, key, paths)
        })
        .buffered(CONCURRENT_CHECKS)
        .try_collect()
        .await?;
    Ok(of_rows.into_iter().chain(of_keys).flatten().collect())
}

/// Checks an acknowledged upload whose object was not the proven one, or is the proven one again.
async fn inspect_row(broker: &Arc<Broker>, mode: Mode, row: ProvenRow) -> Result<Option<Finding>> {
    let mut connection = broker.connection().await?;
    let upload = uploads::find_by_id(&mut connection, &row.tenant, row.id).await?;
    drop(connection);
    match upload {
        Some(upload) => inspect_upload(broker, mode, upload).await,
        None => Ok(None),
    }
}

async fn inspect_upload(
    broker: &Arc<Broker>,
    mode: Mode,
    upload: Upload,
) -> Result<Option<Finding>> {
    if !upload.status.is_acknowledged() {
        return Ok(None);
    }
    let before = upload.drift.map(|drifted| drifted.kind);
    let (now, upload) = match mode {
        Mode::Repair => {
            check_drift::check_drift(broker, upload.clone()).await?;
            let upload = broker.reload(&upload).await?;
            (upload.drift.map(|drifted| drifted.kind), upload)
        }
        Mode::DryRun => {
            let found = broker.head_object(&upload).await?;
            (upload.detect_drift(found.as_ref()), upload)
        }
    };
    let what = match (before, now) {
        (_, Some(Drift::Missing)) => FindingKind::RowWithoutObject,
        (_, Some(Drift::Replaced)) => FindingKind::OtherEtag,
        (Some(_), None) => FindingKind::Restored,
        // The difference disappeared during the sweep.
        (None, None) => return Ok(None),
    };
    let outcome = if before == now {
        Outcome::Known
    } else {
        Outcome::Noted
    };
    let dry_run = mode == Mode::DryRun;
    Ok(Some(Finding::for_upload(what, outcome, dry_run, &upload)))
}

/// Returns, for each of these keys of a bucket, the tenants and paths of uploads with this key. A
/// key lies in the default tenant's prefix and in at most one other, because prefixes do not nest.
pub(in crate::usecases) async fn owned_paths(
    broker: &Broker,
    bucket: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<OwnedTenantPath>>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut connection = broker.connection().await?;
    let common = broker.stores.buckets.common();
    let prefixes = tenants::prefixes(&mut connection, bucket, common).await?;
    let (mut paths, mut of_keys) = (Vec::new(), Vec::new());
    for key in keys {
        for (tenant, prefix) in &prefixes {
            if let Some(relative) = key.strip_prefix(prefix.as_str()) {
                paths.push(OwnedTenantPath {
                    tenant: tenant.clone(),
                    path: format!("/{relative}"),
                });
                of_keys.push(key);
            }
        }
    }
    let numbers = uploads::paths_with_uploads(&mut connection, &paths).await?;
    let numbers: HashSet<_> = numbers.into_iter().collect();
    let mut owned: HashMap<_, Vec<_>> = HashMap::new();
    for (number, (key, path)) in (0_i64..).zip(of_keys.into_iter().zip(paths)) {
        if numbers.contains(&number) {
            owned.entry(key.clone()).or_default().push(path);
        }
    }
    Ok(owned)
}

/// Checks an object whose key no acknowledged upload had when the page was read.
async fn inspect_key(
    broker: &Arc<Broker>,
    bucket: &str,
    mode: Mode,
    key: String,
    paths: Vec<OwnedTenantPath>,
) -> Result<Option<Finding>> {
    let dry_run = mode == Mode::DryRun;
    if paths.is_empty() {
        return Ok(Some(Finding::object_without_row(&key, dry_run)));
    }
    let Some(found) = broker.bucket(bucket).await?.objects.head(&key).await? else {
        return Ok(None);
    };
    let mut connection = broker.connection().await?;
    for OwnedTenantPath { tenant, path } in paths {
        let path = DatasetPath::from_stored(path);
        let acknowledged =
            uploads::find_acknowledged(&mut connection, &tenant, &[path.as_str()]).await?;
        // An upload was acknowledged since the page was read.
        if let Some(upload) = (acknowledged.into_iter()).find(|upload| upload.bucket == bucket) {
            drop(connection);
            return inspect_upload(broker, mode, upload).await;
        }
    }
    drop(connection);
    match broker
        .upload_in_metadata(bucket, &key, Some(&found))
        .await?
        .upload()
    {
        Some(upload) => inspect_unacknowledged(broker, mode, upload).await.map(Some),
        None => Ok(Some(Finding::object_without_row(&key, dry_run))),
    }
}

/// Checks the object of an upload that is not acknowledged. If the object arrived after the upload
/// had expired, it is proven now, as an acknowledge would do.
async fn inspect_unacknowledged(
    broker: &Arc<Broker>,
    mode: Mode,
    upload: Upload,
) -> Result<Finding> {
    let dry_run = mode == Mode::DryRun;
    let what = FindingKind::UnacknowledgedObject;
    if upload.status != Status::Expired {
        return Ok(Finding::for_upload(
            what,
            Outcome::Reported,
            dry_run,
            &upload,
        ));
    }
    let (expire_outcome, upload) = match mode {
        Mode::Repair => {
            let expire_outcome = expire::expire(broker, upload.clone()).await?;
            (expire_outcome, broker.reload(&upload).await?)
        }
        Mode::DryRun => (expire::predict(broker, &upload).await?, upload),
    };
    let outcome = match expire_outcome {
        ExpireOutcome::Uploaded => Outcome::Uploaded,
        ExpireOutcome::Expired | ExpireOutcome::Unchanged => Outcome::Reported,
    };
    Ok(Finding::for_upload(what, outcome, dry_run, &upload))
}
