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
mod stale;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::finding::Outcome;
use crate::objects::multipart::{OpenUploadsPage, UploadsMarker};
use crate::objects::{Bucket, StoreError};
use crate::store::lease::Lease;
use crate::store::sweeps;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::lease_renewal::LeaseRenewal;
pub use stale::Stale;
use stale::{StaleReason, select_stale};

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
            select_stale(&self.broker, &self.bucket.objects, page.uploads).await?,
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
