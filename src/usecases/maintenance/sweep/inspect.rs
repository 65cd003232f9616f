//! The second look at what differs: the row as it is now, and a HEAD of the object.

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

/// Looks at once. Each is a HEAD and a few short queries.
const CONCURRENT_CHECKS: usize = 4;

/// What is left of these differences when they are looked at once more.
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

/// An acknowledged upload whose object is not as proven, or is so again.
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
        // It came, or was put right, while the sweep passed.
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

/// The places of each of these keys of a bucket that any upload was ever promised. A key is in the
/// default tenant's place and in one other's at most: prefixes do not nest.
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

/// An object whose key no acknowledged upload had a moment ago.
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
        let standing =
            uploads::find_acknowledged(&mut connection, &tenant, &[path.as_str()]).await?;
        // Acknowledged since the page was read.
        if let Some(upload) = (standing.into_iter()).find(|upload| upload.bucket == bucket) {
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

/// An object of an upload that nobody acknowledged. Where that is because it came after the
/// janitor's look, it is proven now, as an acknowledge would.
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
    let (outcome_of_expire, upload) = match mode {
        Mode::Repair => {
            let outcome_of_expire = expire::expire(broker, upload.clone()).await?;
            (outcome_of_expire, broker.reload(&upload).await?)
        }
        Mode::DryRun => (expire::predict(broker, &upload).await?, upload),
    };
    let outcome = match outcome_of_expire {
        ExpireOutcome::Uploaded => Outcome::Uploaded,
        ExpireOutcome::Expired | ExpireOutcome::Unchanged => Outcome::Reported,
    };
    Ok(Finding::for_upload(what, outcome, dry_run, &upload))
}
