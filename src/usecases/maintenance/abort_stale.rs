//! Aborts stale multipart uploads: those that are open at S3 and that no upload needs, because
//! their parts cost money.
//!
//! The listing of S3 is compared with the rows, page by page. A multipart upload whose row has
//! ended, in any status, is aborted. One whose row is Pending is never aborted, however old it is.
//!
//! A multipart upload without a row remains after a crash between S3 and the row, or belongs to
//! another program. S3 lists neither its metadata nor anything else that would distinguish the two.
//! It is therefore aborted only if no part arrived for the configured time, which is longer than
//! any create takes from S3 to its row. If the settings do not cover the whole bucket, it is
//! aborted only if its key belongs to the broker: under the prefix of a tenant, or at the path of
//! an upload. Others are only reported.
//!
//! One process at a time does this, under a lease next to the sweep's. No position is saved: the
//! next process starts at the beginning, and aborting twice does no harm.

mod own_keys;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::finding::{Finding, Outcome};
use crate::domain::status::Status;
use crate::objects::multipart::{OpenUpload, OpenUploadsPage, UploadsMarker};
use crate::objects::{Bucket, ObjectStore, StoreError};
use crate::store::lease::Lease;
use crate::store::sweeps;
use crate::store::uploads::{self, MultipartUploadRow};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::lease_renewal::LeaseRenewal;
use own_keys::own_keys;

/// The size of a page: as many as S3 lists at once.
const PAGE: u16 = 1_000;

/// A pass over all open multipart uploads of a bucket.
pub struct Pass {
    broker: Arc<Broker>,
    bucket: Arc<Bucket>,
    /// `None` in a dry run.
    lease: Option<Lease>,
    next_page: NextPage,
}

enum NextPage {
    First,
    Listed(OpenUploadsPage),
    None,
}

/// The outcome of a step.
#[derive(Debug)]
pub enum StepOutcome {
    /// The stale multipart uploads of a page.
    More(Vec<Stale>),
    /// There are no more pages.
    Completed,
    /// The store does not support the listing, or refuses it; the text says why.
    Refused(String),
    /// The lease was lost, and another process has taken over.
    LeaseLost,
}

/// An open multipart upload that no upload seems to need.
#[derive(Clone, Debug)]
pub struct Stale {
    bucket: Arc<str>,
    open: OpenUpload,
    reason: StaleReason,
}

#[derive(Clone, Debug)]
enum StaleReason {
    /// The upload that it belongs to has ended.
    Ended(Box<MultipartUploadRow>),
    /// No upload has its id. It may be aborted unless a part arrived after `since`.
    Unknown { since: DateTime<Utc> },
    /// No upload has its id, and it may belong to another program.
    MaybeForeign,
}

/// Starts a pass over a bucket. Returns `None` if another process has the lease, or if the last
/// pass ended at or after `ended_before`.
pub async fn begin(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
) -> Result<Option<Pass>> {
    let (now, lease) = (broker.clock.now(), broker.new_lease());
    let mut connection = broker.connection().await?;
    let leased =
        sweeps::lease_sweep(&mut connection, &place(bucket), &lease, now, ended_before).await?;
    drop(connection);
    Ok(match leased {
        sweeps::LeaseResult::Leased { .. } => Some(Pass::new(broker, bucket, Some(lease)).await?),
        sweeps::LeaseResult::HeldElsewhere | sweeps::LeaseResult::NotDue => None,
    })
}

/// Starts a pass without a lease, even if another process runs one.
pub async fn dry_run(broker: &Arc<Broker>, bucket: &str) -> Result<Pass> {
    Pass::new(broker, bucket, None).await
}

/// Aborts a stale multipart upload. Returns `None` if a part arrived recently. In a dry run it only
/// returns the outcome.
pub async fn abort(broker: &Broker, stale: &Stale, dry_run: bool) -> Result<Option<Outcome>> {
    let (key, id) = (&stale.open.key, &stale.open.upload_id);
    let bucket = broker.bucket(&stale.bucket).await?;
    let objects = &bucket.objects;
    match stale.reason {
        StaleReason::MaybeForeign => return Ok(Some(Outcome::Reported)),
        StaleReason::Unknown { since } => {
            let last = objects.last_part_at(key, id, since).await?;
            if last.is_some_and(|last| last > since) {
                return Ok(None);
            }
        }
        StaleReason::Ended(_) => {}
    }
    if !dry_run {
        objects.abort_multipart(key, id).await?;
    }
    Ok(Some(Outcome::Aborted))
}

/// The name of the lease, next to the sweep's, which is the name of the bucket. No bucket name
/// contains a colon.
fn place(bucket: &str) -> String {
    format!("{bucket}:multipart")
}

impl Pass {
    async fn new(broker: &Arc<Broker>, bucket: &str, lease: Option<Lease>) -> Result<Self> {
        Ok(Self {
            broker: Arc::clone(broker),
            bucket: broker.bucket(bucket).await?,
            lease,
            next_page: NextPage::First,
        })
    }

    fn place(&self) -> String {
        place(self.bucket.objects.bucket())
    }

    /// Returns the renewal of the lease, to be run during the pass. `None` in a dry run, which has
    /// no lease.
    pub fn lease_renewal(&self) -> Option<LeaseRenewal> {
        let lease = self.lease.clone()?;
        Some(LeaseRenewal::new(
            Arc::clone(&self.broker),
            self.place(),
            lease,
        ))
    }

    /// Processes the next page.
    pub async fn step(&mut self) -> Result<StepOutcome> {
        let page = match std::mem::replace(&mut self.next_page, NextPage::None) {
            NextPage::First => match self.list(None).await {
                Err(refused) if refused.is_unsupported_or_forbidden() => {
                    self.finish().await?;
                    return Ok(StepOutcome::Refused(refused.to_string()));
                }
                page => page?,
            },
            NextPage::Listed(page) => page,
            NextPage::None => {
                self.finish().await?;
                return Ok(StepOutcome::Completed);
            }
        };
        // The next page is listed before anything of this page is aborted: a store may look for the
        // upload at which this page ends.
        if let Some(end) = &page.next {
            self.next_page = NextPage::Listed(self.list(Some(end)).await?);
        }
        if !self.save_progress().await? {
            return Ok(StepOutcome::LeaseLost);
        }
        Ok(StepOutcome::More(
            stale(&self.broker, &self.bucket.objects, page.uploads).await?,
        ))
    }

    async fn finish(&self) -> Result<()> {
        if let Some(lease) = &self.lease {
            let (place, now) = (self.place(), self.broker.clock.now());
            let mut connection = self.broker.connection().await?;
            sweeps::finish(&mut connection, &place, lease, now).await?;
        }
        Ok(())
    }

    /// Releases the lease. Another process may start a pass at once.
    pub async fn release(&self) -> Result<()> {
        if let Some(lease) = &self.lease {
            let mut connection = self.broker.connection().await?;
            sweeps::release(&mut connection, &self.place(), lease).await?;
        }
        Ok(())
    }

    async fn list(&self, after: Option<&UploadsMarker>) -> Result<OpenUploadsPage, StoreError> {
        self.bucket.objects.list_multipart("", PAGE, after).await
    }

    async fn save_progress(&self) -> Result<bool> {
        let Some(lease) = &self.lease else {
            return Ok(true);
        };
        let mut connection = self.broker.connection().await?;
        Ok(sweeps::advance(&mut connection, &self.place(), lease, None).await?)
    }
}

/// The stale multipart uploads of a page.
async fn stale(
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
    all.extend(stale_unknown(broker, objects, unknown, now).await?);
    Ok(all)
}

/// Selects the multipart uploads without a row that were started long enough ago.
async fn stale_unknown(
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
