//! Claims due jobs for workers.
//!
//! A caller of the HTTP API claims jobs of its own tenant. The workers of this program claim jobs of
//! all tenants, those with the fewest running jobs first.

use std::time::Duration;

use diesel_async::AsyncConnection as _;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use crate::store::jobs::ClaimedJob;

use super::{check_lease, check_processor, requeue_lapsed};
use crate::domain::job::{Job, JobStatus};
use crate::domain::principal::Principal;
use crate::domain::upload::Upload;
use crate::store::jobs::{self, Claim};
use crate::usecases::context::Broker;
use crate::usecases::datasets::download::SignedGet;
use crate::usecases::error::Result;
use crate::usecases::faults::Faults;

/// The largest number of jobs of a claim.
pub const MAX_JOBS: u16 = 100;
/// The longest time that a claim waits for work, in seconds.
pub const MAX_WAIT_SECONDS: u32 = 30;
/// How often a waiting claim asks again: jobs that another process has queued do not wake it.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What a caller claims.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// The name of the processor.
    pub processor: String,
    /// The largest number of jobs.
    pub limit: u16,
    /// The length of each lease, in seconds.
    pub lease_seconds: Option<u32>,
    /// How long to wait for a job, in seconds.
    pub wait_seconds: u32,
}

/// A claimed job, its upload, and a URL to read the dataset.
#[derive(Clone, Debug)]
pub struct ClaimedWithUrl {
    /// The job, which has a lease of its own.
    pub job: Job,
    /// The upload, which is Processing.
    pub upload: Upload,
    /// A pre-signed URL of the proven version, if the bucket keeps versions, or else of the object.
    pub download: SignedGet,
}

/// Claims due jobs of the caller's tenant, and waits for one if there is none: until `until` at the
/// latest, and not after `stop`.
pub async fn claim(
    broker: &Broker,
    principal: &Principal,
    request: &ClaimRequest,
    until: Instant,
    stop: &CancellationToken,
) -> Result<Vec<ClaimedWithUrl>> {
    let mut faults = Faults::default();
    check_processor(&mut faults, &request.processor);
    let lease = check_lease(&mut faults, request.lease_seconds);
    if !(1..=MAX_JOBS).contains(&request.limit) {
        faults.add("/limit", format!("must be from 1 to {MAX_JOBS}"));
    }
    if request.wait_seconds > MAX_WAIT_SECONDS {
        faults.add(
            "/wait_seconds",
            format!("must be at most {MAX_WAIT_SECONDS}"),
        );
    }
    faults.into_result()?;
    let tenants = [principal.tenant.clone()];
    let within = principal.jail.folder().map(|folder| folder.as_str());
    let wait = Duration::from_secs(request.wait_seconds.into());
    let until = until.min(Instant::now() + wait);
    loop {
        // Registered before the query, so that a job that is queued meanwhile wakes this claim.
        let queued = broker.jobs_queued.notified();
        requeue_lapsed(broker).await?;
        let claim = Claim {
            processor: &request.processor,
            tenants: &tenants,
            upload: None,
            within,
            limit: request.limit.into(),
            lease,
            now: broker.clock.now(),
            notified: &broker.rules.notified,
        };
        let claimed = broker.claim_due(&claim).await?;
        if !claimed.is_empty() || Instant::now() >= until || stop.is_cancelled() {
            return broker.sign_claimed(principal, claimed).await;
        }
        let poll = until.min(Instant::now() + POLL_INTERVAL);
        tokio::select! {
            () = queued => {}
            () = stop.cancelled() => {}
            () = sleep_until(poll) => {}
        }
    }
}

/// Claims at most `limit` due jobs of a processor, of any tenants.
pub async fn claim_of_all_tenants(
    broker: &Broker,
    processor: &str,
    limit: u16,
    lease: Duration,
) -> Result<Vec<ClaimedJob>> {
    let now = broker.clock.now();
    let mut connection = broker.connection().await?;
    let tenants =
        jobs::find_tenants_with_due_jobs(&mut connection, processor, now, limit.into()).await?;
    drop(connection);
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let claim = Claim {
        processor,
        tenants: &tenants,
        upload: None,
        within: None,
        limit: limit.into(),
        lease,
        now,
        notified: &broker.rules.notified,
    };
    broker.claim_due(&claim).await
}

/// Claims the job of a processor on an upload, if it is due.
pub async fn claim_of_upload(
    broker: &Broker,
    tenant: &str,
    upload: Uuid,
    processor: &str,
    lease: Duration,
) -> Result<Option<ClaimedJob>> {
    let tenants = [tenant.to_owned()];
    let claim = Claim {
        processor,
        tenants: &tenants,
        upload: Some(upload),
        within: None,
        limit: 1,
        lease,
        now: broker.clock.now(),
        notified: &broker.rules.notified,
    };
    Ok(broker.claim_due(&claim).await?.pop())
}

/// How long until a job of one of these processors on an upload is due; zero if one runs, and `None` if
/// none is left to run.
pub async fn time_until_due(
    broker: &Broker,
    tenant: &str,
    upload: Uuid,
    processors: &[&str],
) -> Result<Option<Duration>> {
    let mut connection = broker.connection().await?;
    let jobs = jobs::find_of_upload(&mut connection, upload).await?;
    let now = broker.clock.now();
    let open = jobs.iter().filter(|job| {
        job.tenant == tenant && job.status.is_open() && processors.contains(&&*job.processor)
    });
    let waits = open.map(|job| match job.status {
        JobStatus::Queued => (job.due_at - now).to_std().unwrap_or_default(),
        _ => Duration::ZERO,
    });
    Ok(waits.min())
}

impl Broker {
    /// Adds the URLs. If they cannot be signed, the claim fails, and the jobs are queued again when
    /// their leases end.
    async fn sign_claimed(
        &self,
        principal: &Principal,
        claimed: Vec<ClaimedJob>,
    ) -> Result<Vec<ClaimedWithUrl>> {
        let mut signed = Vec::with_capacity(claimed.len());
        for ClaimedJob { job, upload } in claimed {
            let version = upload.object.as_ref();
            let version = version.and_then(|object| object.version_id.as_deref());
            let download = self
                .sign_get_version(principal, &upload.key, version)
                .await?;
            signed.push(ClaimedWithUrl {
                job,
                upload,
                download,
            });
        }
        Ok(signed)
    }

    async fn claim_due(&self, claim: &Claim<'_>) -> Result<Vec<ClaimedJob>> {
        let mut connection = self.connection().await?;
        let claimed = connection
            .transaction(async |connection| jobs::claim_due(connection, &self.clock, claim).await)
            .await?;
        if !claimed.is_empty() {
            self.outbox.notify_one();
            self.metrics.jobs.claimed(claimed.len());
        }
        Ok(claimed)
    }
}
