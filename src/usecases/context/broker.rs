//! The broker: the parts that every use case works with, wired together.

use std::sync::Arc;

use tokio::sync::Notify;

use super::audit_queue::AuditQueue;
use super::batches::Batches;
use super::caches::Caches;
use super::connections::Connections;
use super::event_feed::EventFeed;
use super::event_signal::EventSignal;
use super::observers::Observers;
use super::rules::Rules;
use super::s3_events::S3Events;
use super::stores::Stores;
use super::tasks::Tasks;
use crate::clock::Clock;
use crate::domain::jail::Jail;
use crate::objects::Bucket;
use crate::store::lease::Lease;
use crate::store::pool::Pooled;
use crate::store::tenants;
use crate::telemetry::metrics::Metrics;
use crate::usecases::error::{Error, Result};

/// The parts, shared by every request and loop.
pub struct Broker {
    /// Connections to Postgres.
    pub connections: Connections,
    /// Buckets and credentials.
    pub stores: Stores,
    /// Limits and defaults.
    pub rules: Rules,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What records traces and reports faults.
    pub observers: Observers,
    /// Keys, tokens and policies that were read lately.
    pub caches: Caches,
    /// Queues of rows that are written together.
    pub batches: Batches,
    /// Work under way.
    pub tasks: Tasks,
    /// Audit records on their way to Postgres.
    pub audit: AuditQueue,
    /// Notified when an event was written; the loops that send events wait for it.
    pub outbox: EventSignal,
    /// The live streams of events.
    pub feed: EventFeed,
    /// Notified when this process has queued a job; claims wait for it.
    pub jobs_queued: Notify,
    /// Whether S3's events reach the broker.
    pub s3_events: S3Events,
}

impl Broker {
    /// A connection to Postgres, within the pool's bound.
    #[track_caller]
    pub(in crate::usecases) fn connection(&self) -> impl Future<Output = Result<Pooled>> + Send {
        self.connections.get()
    }

    /// A lease for rows that are about to be leased.
    pub(in crate::usecases) fn new_lease(&self) -> Lease {
        Lease::new(&self.clock, self.rules.lease)
    }

    /// The bucket of this name. Names come from rows and tenants, never from a caller.
    pub(in crate::usecases) async fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        let bucket = self.stores.buckets.at(name).await;
        bucket.map_err(|cause| Error::Internal(cause.into()))
    }

    /// The names of the buckets that were used since the start, the common one first.
    pub fn met_buckets(&self) -> Vec<String> {
        let met = self.stores.buckets.known().into_iter();
        met.map(|bucket| bucket.objects.bucket().to_owned())
            .collect()
    }

    /// The origins that browsers send bytes to, as sources of a content security policy. They cover
    /// the buckets of tenants too, without their names, which are not public.
    pub fn store_origins(&self) -> Vec<String> {
        let buckets = &self.stores.buckets;
        let endpoint = buckets.common_bucket().signer.endpoint();
        endpoint.origins_of_store(buckets.common())
    }

    /// Every bucket that may hold uploads, the common one first.
    pub async fn all_buckets(&self) -> Result<Vec<String>> {
        let mut connection = self.connection().await?;
        let own = tenants::buckets(&mut connection).await?;
        let common = self.stores.buckets.common();
        let own = own.into_iter().filter(|own| own != common);
        Ok(std::iter::once(common.to_owned()).chain(own).collect())
    }

    /// Whether uploads may be in this bucket, whose name comes from outside.
    pub(in crate::usecases) async fn holds_uploads(&self, bucket: &str) -> Result<bool> {
        if bucket == self.stores.buckets.common() {
            return Ok(true);
        }
        let mut connection = self.connection().await?;
        Ok(tenants::has_bucket(&mut connection, bucket).await?)
    }

    /// The name of the bucket that a jail is in.
    pub(in crate::usecases) fn bucket_name<'a>(&'a self, jail: &'a Jail) -> &'a str {
        jail.bucket()
            .unwrap_or_else(|| self.stores.buckets.common())
    }

    /// The bucket that a jail is in.
    pub(in crate::usecases) async fn bucket_of(&self, jail: &Jail) -> Result<Arc<Bucket>> {
        self.bucket(self.bucket_name(jail)).await
    }
}
