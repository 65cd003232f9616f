//! Selects the stale multipart uploads of a page, by the rows and the age.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::own_keys::own_keys;
use crate::domain::finding::{Finding, Outcome};
use crate::domain::status::Status;
use crate::objects::ObjectStore;
use crate::objects::multipart::OpenUpload;
use crate::store::uploads::{self, MultipartUploadRow};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// An open multipart upload that no upload seems to need.
#[derive(Clone, Debug)]
pub struct Stale {
    pub(super) bucket: Arc<str>,
    pub(super) open: OpenUpload,
    pub(super) reason: StaleReason,
}

/// Why a multipart upload is stale.
#[derive(Clone, Debug)]
pub(super) enum StaleReason {
    /// The upload that it belongs to has ended.
    Ended(Box<MultipartUploadRow>),
    /// No upload has its id. It may be aborted unless a part arrived after `since`.
    Unknown { since: DateTime<Utc> },
    /// No upload has its id, and it may belong to another program.
    MaybeForeign,
}

/// The stale multipart uploads of a page.
pub(super) async fn select_stale(
    broker: &Broker,
    objects: &ObjectStore,
    page: Vec<OpenUpload>,
) -> Result<Vec<Stale>> {
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = page.iter().map(|open| open.upload_id.as_str()).collect();
    let mut connection = broker.connection().await?;
    let rows = uploads::find_by_s3_upload_ids(&mut connection, &ids).await?;
    drop(connection);
    let mut rows: HashMap<_, _> = (rows.into_iter())
        .map(|row| (row.s3_upload_id.clone(), row))
        .collect();
    let now = broker.clock.now();
    // An acknowledge that started before the upload expired may still run for this long.
    let timeout = TimeDelta::from_std(broker.rules.complete_timeout).unwrap_or(TimeDelta::MAX);
    let (mut all, mut unknown) = (Vec::new(), Vec::new());
    for open in page {
        match rows.remove(&open.upload_id) {
            None => unknown.push(open),
            Some(row) if row.status != Status::Pending && now - row.updated_at >= timeout => {
                let reason = StaleReason::Ended(Box::new(row));
                let bucket = objects.name();
                all.push(Stale {
                    bucket,
                    open,
                    reason,
                });
            }
            Some(_) => {}
        }
    }
    all.extend(select_unknown(broker, objects, unknown, now).await?);
    Ok(all)
}

/// Selects the multipart uploads without a row that were started long enough ago.
async fn select_unknown(
    broker: &Broker,
    objects: &ObjectStore,
    mut unknown: Vec<OpenUpload>,
    now: DateTime<Utc>,
) -> Result<Vec<Stale>> {
    let rule = broker.rules.stale_multipart;
    let age = rule.after.and_then(|after| TimeDelta::from_std(after).ok());
    let Some(since) = age.and_then(|age| now.checked_sub_signed(age)) else {
        return Ok(Vec::new());
    };
    unknown.retain(|open| open.initiated <= since);
    let bucket = objects.bucket();
    // The settings cover only the bucket that they name, and no bucket of a tenant.
    let everywhere = rule.whole_bucket && bucket == broker.stores.buckets.common();
    let own = match everywhere || unknown.is_empty() {
        true => HashSet::new(),
        false => own_keys(broker, bucket, &unknown).await?,
    };
    let stale = unknown.into_iter().map(|open| {
        let reason = match everywhere || own.contains(&open.key) {
            true => StaleReason::Unknown { since },
            false => StaleReason::MaybeForeign,
        };
        let bucket = objects.name();
        Stale {
            bucket,
            open,
            reason,
        }
    });
    Ok(stale.collect())
}

impl Stale {
    /// Describes it as a finding of the janitor.
    pub fn finding(&self, outcome: Outcome, dry_run: bool, now: DateTime<Utc>) -> Finding {
        let open = &self.open;
        let age = (now - open.initiated).num_seconds().try_into();
        let age = age.unwrap_or_default();
        let finding =
            Finding::for_multipart_upload(outcome, dry_run, &open.key, &open.upload_id, age);
        match &self.reason {
            StaleReason::Ended(row) => Finding {
                upload_id: Some(row.id),
                tenant: Some(row.tenant.clone()),
                path: Some(row.path.clone()),
                status: Some(row.status),
                ..finding
            },
            StaleReason::Unknown { .. } | StaleReason::MaybeForeign => finding,
        }
    }
}
