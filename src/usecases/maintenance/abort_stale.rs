//! Abort stale: multipart uploads at S3 that nothing needs any more, and whose parts cost money.
//!
//! What S3 lists is held against the rows, a page at a time. One whose row ended, whatever it ended
//! as, is aborted. One whose row is Pending is never touched, however old it is.
//!
//! One that no row knows is left by a crash between S3 and the row, or it is another program's: S3
//! lists neither the metadata nor anything else that would tell. So it is aborted only when nothing
//! has come to it for the time that the settings say, which is longer than any create takes from
//! S3 to its row; and where the settings do not speak for the whole bucket, only at keys that are
//! the broker's: under the prefix of a tenant, or promised to an upload. Others are told.
//!
//! One process at a time is at it, by a lease next to the sweep's. Nothing else is kept: whoever
//! comes next begins at the start, and aborting twice does no harm.

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

/// As many as S3 lists at once.
const PAGE: u16 = 1_000;

/// A walk over all open uploads of a bucket.
pub struct Pass {
    broker: Arc<Broker>,
    bucket: Arc<Bucket>,
    /// None in a dry run.
    lease: Option<Lease>,
    next_page: NextPage,
}

enum NextPage {
    First,
    Listed(OpenUploadsPage),
    None,
}

/// What a step came to.
#[derive(Debug)]
pub enum StepOutcome {
    /// Those of a page that nothing seems to need.
    More(Vec<Stale>),
    /// That was all.
    Completed,
    /// The store does not list them, or not to us: why.
    Refused(String),
    /// Another process took over, because the lease ended.
    LeaseLost,
}

/// An open upload that nothing seems to need.
#[derive(Clone, Debug)]
pub struct Stale {
    bucket: Arc<str>,
    open: OpenUpload,
    reason: StaleReason,
}

#[derive(Clone, Debug)]
enum StaleReason {
    /// Its upload ended.
    Ended(Box<MultipartUploadRow>),
    /// No upload knows it, and it may go unless something came since.
    Unknown { since: DateTime<Utc> },
    /// No upload knows it, and another program may.
    MaybeForeign,
}

/// Begins a walk over a bucket; `None` where another process is at it, or where the last one did
/// not end before `ended_before`.
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

/// A walk that claims nothing, whoever else is at it.
pub async fn dry_run(broker: &Arc<Broker>, bucket: &str) -> Result<Pass> {
    Pass::new(broker, bucket, None).await
}

/// Aborts one, unless something came to it lately: then `None`. In a dry run it says what it would
/// do.
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

/// Under which name the walk is claimed, next to the sweep's, which has the bucket's. No bucket's
/// name has a colon.
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

    /// What keeps the lease while the walk goes on. `None` in a dry run, which needs none.
    pub fn lease_renewal(&self) -> Option<LeaseRenewal> {
        let lease = self.lease.clone()?;
        Some(LeaseRenewal::new(
            Arc::clone(&self.broker),
            self.place(),
            lease,
        ))
    }

    /// Looks at the next page.
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
        // Asked for before any of this page go: a store may look for the one where it ends.
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

    /// Gives it back; another process may begin anew at once.
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

/// Those of a page that nothing seems to need.
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
    // An acknowledge of one that expired may be under way for so long.
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

/// Those that no upload knows, and that were begun long ago.
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
    // The settings speak for the bucket that they name, and for no tenant's own.
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
    /// A line about it.
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
