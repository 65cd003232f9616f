//! What the checks of the doctor work with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::super::assemble::{self, AssembleError};
use super::super::aws::{ca_bundle, load_cloud};
use super::super::build_worker;
use super::super::cloud::Cloud;
use super::super::output::causes;
use super::super::store_abilities;
use crate::clock::Clock;
use crate::config::{QueueUrl, Settings};
use crate::notify::sns::Topic;
use crate::objects::ObjectStore;
use crate::objects::credentials::{Credentials, CredentialsCache};
use crate::objects::probe::PlainHttp;
use crate::objects::sign::Signer;
use crate::sqs::queue::{Purpose, Queue};
use crate::sqs::timing::QueueTiming;
use crate::telemetry::metrics::Metrics;
use crate::textract::Textract;

/// What the checks of one bucket work with: the components of a broker, as far as they can be
/// built.
pub(super) struct CheckContext {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    cloud: Arc<Cloud>,
    metrics: Arc<Metrics>,
    pub(super) store: ObjectStore,
    /// Whether the bucket belongs to a tenant, and is not the one of the settings.
    pub(super) is_tenant_bucket: bool,
    pub(super) wire: PlainHttp,
    /// Whether URLs are signed for the endpoint of clients, and not for that of the broker.
    signs_for_clients: bool,
    /// The signer, or why URLs cannot be signed.
    pub(super) signer: Result<Signer, String>,
    /// The credentials, or why there are none.
    pub(super) credentials: Result<Arc<Credentials>, String>,
    pub(super) topic: Option<Topic>,
    /// The queue of S3 event notifications.
    pub(super) queue: Option<Queue>,
    /// The queue that wakes workers.
    pub(super) worker_queue: Option<Queue>,
    /// Textract, if `pdf-text` uses it.
    pub(super) textract: Option<Textract>,
    /// Cancelled by a signal.
    pub(super) stop: CancellationToken,
}

impl CheckContext {
    /// Builds the components, and requests credentials. Sends no other requests yet.
    pub(super) async fn new(
        settings: Settings,
        stop: CancellationToken,
    ) -> Result<Self, AssembleError> {
        let clock = Clock::system();
        let metrics = Arc::new(Metrics::new(clock.now())?);
        let found = load_cloud(&settings).await?;
        let cloud = Cloud {
            s3: settings.aws.with_limits(found.s3),
            sns: settings.aws.with_limits(found.sns),
            sqs: settings.aws.with_limits(found.sqs),
            worker_sqs: settings.aws.with_limits(found.worker_sqs),
            textract: settings.aws.with_limits(found.textract),
            topic: found.topic,
        };
        let signer = signer(&settings, &cloud, true).await;
        let topic = cloud.topic.as_ref();
        let queue = |client: &_, url: Option<&QueueUrl>, purpose| {
            let (timing, metrics) = (QueueTiming::default(), Arc::clone(&metrics));
            url.map(|url| Queue::new(client, url.as_str(), purpose, timing, metrics))
        };
        let events = settings.s3_events.queue.as_ref();
        let wakes = settings.worker.queue.as_ref();
        Ok(Self {
            store: store_abilities::store_for_doctor(&settings, &cloud, &metrics),
            is_tenant_bucket: false,
            wire: PlainHttp::new(settings.aws.total, ca_bundle(&settings)?.as_ref())
                .map_err(AssembleError::Http)?,
            signs_for_clients: true,
            signer,
            credentials: credentials(&cloud, clock.now()).await,
            topic: topic.map(|arn| Topic::new(&cloud.sns, arn.as_str(), Arc::clone(&metrics))),
            queue: queue(&cloud.sqs, events, Purpose::S3Events),
            worker_queue: queue(&cloud.worker_sqs, wakes, Purpose::Jobs),
            textract: build_worker::textract(&settings, &cloud, &metrics),
            metrics,
            cloud: Arc::new(cloud),
            clock,
            settings,
            stop,
        })
    }

    /// The same for the bucket of a tenant in the same store.
    pub(super) async fn at(&self, bucket: &str) -> Self {
        let mut settings = self.settings.clone();
        bucket.clone_into(&mut settings.s3.bucket);
        let signer = signer(&settings, &self.cloud, self.signs_for_clients).await;
        Self {
            store: store_abilities::store_for_doctor(&settings, &self.cloud, &self.metrics),
            is_tenant_bucket: true,
            wire: self.wire.clone(),
            signs_for_clients: self.signs_for_clients,
            signer,
            credentials: self.credentials.clone(),
            topic: None,
            queue: None,
            worker_queue: None,
            textract: None,
            metrics: Arc::clone(&self.metrics),
            cloud: Arc::clone(&self.cloud),
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            settings,
        }
    }

    /// Signs URLs for the endpoint of the broker from now on, also for the buckets of tenants.
    pub(super) async fn sign_for_broker(&mut self) {
        self.signs_for_clients = false;
        self.signer = signer(&self.settings, &self.cloud, false).await;
    }
}

async fn signer(
    settings: &Settings,
    cloud: &Cloud,
    signs_for_clients: bool,
) -> Result<Signer, String> {
    let signer = match signs_for_clients {
        true => assemble::signer(settings, cloud).await,
        false => {
            let mut own = settings.clone();
            own.s3.public_endpoint = None;
            assemble::signer(&own, cloud).await
        }
    };
    signer.map_err(|error| causes(&error))
}

async fn credentials(cloud: &Cloud, now: DateTime<Utc>) -> Result<Arc<Credentials>, String> {
    let provider = cloud.s3.credentials_provider();
    let provider = provider.ok_or_else(|| causes(&AssembleError::NoCredentials))?;
    let cache = CredentialsCache::new(provider);
    cache.get(now).await.map_err(|error| causes(&error))
}
