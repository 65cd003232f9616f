//! The sweep: compares a bucket with the rows, in both directions.
//!
//! ListObjectsV2 and the acknowledged uploads are read in the same order, by the bytes of the key,
//! and are merged page by page, so memory is bounded. Each difference is checked again with the
//! current row and a HEAD before it is reported or recorded, because objects change during the
//! sweep. The sweep never removes anything.
//!
//! The progress is stored in Postgres with a lease: one process at a time sweeps a bucket, and the
//! next one continues where the last one stopped or died. If a step fails, nothing changes, and the
//! step is repeated.

mod inspect;
mod merge;
mod mode;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::finding::Finding;
use crate::objects::{Bucket, Listing};
use crate::store::lease::Lease;
use crate::store::{sweeps, uploads};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::lease_renewal::LeaseRenewal;
pub(in crate::usecases) use inspect::owned_paths;
use merge::{Merge, Step};
use mode::Mode;

/// The number of objects, and of rows, in a page: as many as S3 lists at once.
const PAGE: u16 = 1_000;

/// The outcome of the attempt to start a sweep.
pub enum SweepStart {
    /// This process has the lease.
    Leased(Box<Pass>),
    /// Another process has the lease.
    LeasedElsewhere,
    /// The last sweep ended too recently.
    NotDue,
}

/// The outcome of a step.
#[derive(Debug)]
pub enum StepOutcome {
    /// There are more pages.
    More(Vec<Finding>),
    /// The sweep is complete.
    Completed(Vec<Finding>),
    /// The lease was lost, and another process has taken over.
    LeaseLost,
}

/// The amounts that were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The number of listed objects.
    pub objects: u64,
    /// The number of acknowledged uploads that were read.
    pub rows: u64,
    /// The number of acknowledged uploads in other buckets, which have their own sweeps.
    pub other_buckets: u64,
}

/// A running sweep.
pub struct Pass {
    broker: Arc<Broker>,
    bucket: Arc<Bucket>,
    mode: Mode,
    /// `None` in a dry run.
    lease: Option<Lease>,
    merge: Merge,
    /// The key at which an earlier process had stopped.
    pub resumed_after: Option<String>,
    /// The amounts since this process started or resumed the sweep.
    pub compared: Compared,
}

/// Starts a sweep of a bucket, or resumes an interrupted one. A new sweep starts only if the last
/// one ended before `ended_before`.
pub async fn begin(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
) -> Result<SweepStart> {
    let (now, lease) = (broker.clock.now(), broker.new_lease());
    let mut connection = broker.connection().await?;
    let leased = sweeps::lease_sweep(&mut connection, bucket, &lease, now, ended_before).await?;
    drop(connection);
    Ok(match leased {
        sweeps::LeaseResult::Leased { position } => {
            let pass = Pass::new(broker, bucket, Some(lease), position).await?;
            SweepStart::Leased(Box::new(pass))
        }
        sweeps::LeaseResult::HeldElsewhere => SweepStart::LeasedElsewhere,
        sweeps::LeaseResult::NotDue => SweepStart::NotDue,
    })
}

/// Starts a sweep that changes nothing and needs no lease, even if another process sweeps.
pub async fn dry_run(broker: &Arc<Broker>, bucket: &str) -> Result<Pass> {
    Pass::new(broker, bucket, None, None).await
}

impl Pass {
    async fn new(
        broker: &Arc<Broker>,
        bucket: &str,
        lease: Option<Lease>,
        position: Option<String>,
    ) -> Result<Self> {
        Ok(Self {
            broker: Arc::clone(broker),
            bucket: broker.bucket(bucket).await?,
            mode: match lease {
                Some(_) => Mode::Repair,
                None => Mode::DryRun,
            },
            lease,
            merge: Merge::after(position.clone()),
            resumed_after: position,
            compared: Compared::default(),
        })
    }

    fn bucket(&self) -> &str {
        self.bucket.objects.bucket()
    }

    /// Returns the renewal of the lease, to be run during the sweep. `None` in a dry run, which has
    /// no lease.
    pub fn lease_renewal(&self) -> Option<LeaseRenewal> {
        let lease = self.lease.clone()?;
        let place = self.bucket().to_owned();
        Some(LeaseRenewal::new(Arc::clone(&self.broker), place, lease))
    }

    /// Compares until the next page is needed, checks the differences, and saves the progress. It
    /// is safe to drop the future: the step is repeated by the next sweep.
    pub async fn step(&mut self) -> Result<StepOutcome> {
        let mut differences = Vec::new();
        let mut fetched = false;
        let ended = loop {
            match self.merge.step() {
                Step::Difference(difference) => {
                    differences.push(difference);
                    continue;
                }
                Step::End => break true,
                // Each step fetches one page: its differences are reported before the next page is
                // fetched.
                Step::NeedObjects | Step::NeedRows if fetched => break false,
                Step::NeedObjects => self.fetch_objects().await?,
                Step::NeedRows => self.fetch_rows().await?,
            }
            fetched = true;
        };
        let findings =
            inspect::inspect_differences(&self.broker, self.bucket(), self.mode, differences)
                .await?;
        Ok(match (self.save_progress(ended).await?, ended) {
            (false, _) => StepOutcome::LeaseLost,
            (true, true) => StepOutcome::Completed(findings),
            (true, false) => StepOutcome::More(findings),
        })
    }

    /// Releases the lease. Another process may resume the sweep at once.
    pub async fn release(&self) -> Result<()> {
        if let Some(lease) = &self.lease {
            let mut connection = self.broker.connection().await?;
            sweeps::release(&mut connection, self.bucket(), lease).await?;
        }
        Ok(())
    }

    async fn fetch_objects(&mut self) -> Result<()> {
        let page = (self.bucket.objects)
            .list(Listing {
                prefix: "",
                folders: false,
                limit: PAGE,
                token: None,
                after: self.merge.last_object(),
            })
            .await?;
        self.compared.objects += count(page.objects.len());
        let is_last = page.next.is_none();
        (self.merge.add_objects(page.objects, is_last)).map_err(|bad| Error::Internal(bad.into()))
    }

    async fn fetch_rows(&mut self) -> Result<()> {
        let mut connection = self.broker.connection().await?;
        let after = self.merge.last_row();
        let rows = uploads::proven_page(&mut connection, after, PAGE.into()).await?;
        let is_last = rows.len() < usize::from(PAGE);
        self.compared.rows += count(rows.len());
        let bucket = self.bucket.objects.bucket();
        self.compared.other_buckets += count(self.merge.add_rows(rows, bucket, is_last));
        Ok(())
    }

    /// Saves the progress, or the end of the sweep. Returns `false` if another process has taken
    /// over.
    async fn save_progress(&self, ended: bool) -> Result<bool> {
        let Some(lease) = &self.lease else {
            return Ok(true);
        };
        let (bucket, now) = (self.bucket(), self.broker.clock.now());
        let mut connection = self.broker.connection().await?;
        Ok(match ended {
            true => sweeps::finish(&mut connection, bucket, lease, now).await?,
            false => {
                sweeps::advance(&mut connection, bucket, lease, self.merge.completed_key()).await?
            }
        })
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
