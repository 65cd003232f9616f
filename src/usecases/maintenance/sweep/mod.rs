//! Sweep: a bucket and the rows, compared in both directions.
//!
//! ListObjectsV2 and the acknowledged uploads come in the same order, by the bytes of the key, and
//! are merged page by page: memory is bounded however many there are. Each difference is looked at
//! once more, with a fresh row and a HEAD, before anything is said or noted: objects come and go
//! while the sweep passes. It removes nothing, ever.
//!
//! How far it is stands in Postgres with a lease, so that one process at a time is at it, and the
//! next one goes on where the last one stopped or died. A fault ends the step at hand and changes
//! nothing; that step is done again.

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

/// Objects, and rows, in a page: as many as S3 lists at once.
const PAGE: u16 = 1_000;

/// What became of the wish to sweep.
pub enum SweepStart {
    /// It is ours.
    Leased(Box<Pass>),
    /// Another process is at it.
    LeasedElsewhere,
    /// The last one is not long ago.
    NotDue,
}

/// What a step came to.
#[derive(Debug)]
pub enum StepOutcome {
    /// There is more.
    More(Vec<Finding>),
    /// That was all.
    Completed(Vec<Finding>),
    /// Another process took over, because the lease ended.
    LeaseLost,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Objects listed.
    pub objects: u64,
    /// Acknowledged uploads read.
    pub rows: u64,
    /// Acknowledged uploads of other buckets, each of which is swept by itself.
    pub other_buckets: u64,
}

/// A sweep under way.
pub struct Pass {
    broker: Arc<Broker>,
    bucket: Arc<Bucket>,
    mode: Mode,
    /// None in a dry run.
    lease: Option<Lease>,
    merge: Merge,
    /// Where an earlier process had stopped.
    pub resumed_after: Option<String>,
    /// Since this process is at it.
    pub compared: Compared,
}

/// Begins a sweep of a bucket, or goes on with one that was left. A new one only where the last one
/// ended before `ended_before`.
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

/// Sweeps from the start without a change to anything, whoever else is at it.
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

    /// What keeps the lease while the pass is worked on. `None` in a dry run, which needs none.
    pub fn lease_renewal(&self) -> Option<LeaseRenewal> {
        let lease = self.lease.clone()?;
        let place = self.bucket().to_owned();
        Some(LeaseRenewal::new(Arc::clone(&self.broker), place, lease))
    }

    /// Compares up to where the next page is needed, looks at what differs, and notes how far it
    /// is. Safe to drop: the next one does the step again.
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
                // A page a step: what differs in it is told before the next one is asked for.
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

    /// Gives it back; another process may go on at once.
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

    /// Notes how far it is, or that it is through; `false` where another process has taken over.
    async fn save_progress(&self, ended: bool) -> Result<bool> {
        let Some(lease) = &self.lease else {
            return Ok(true);
        };
        let (bucket, now) = (self.bucket(), self.broker.clock.now());
        let mut connection = self.broker.connection().await?;
        Ok(match ended {
            true => sweeps::finish(&mut connection, bucket, lease, now).await?,
            false => sweeps::advance(&mut connection, bucket, lease, self.merge.done()).await?,
        })
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
