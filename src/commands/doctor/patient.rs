//! What is examined: the broker's parts, each as far as it can be made.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::super::assemble::{self, AssembleError, Cloud};
use super::super::output::causes;
use super::super::serve::{bundle, cloud};
use super::super::switches;
use crate::arrivals::queue::Queue;
use crate::arrivals::timing::QueueTiming;
use crate::clock::Clock;
use crate::config::Settings;
use crate::notify::sns::Topic;
use crate::objects::ObjectStore;
use crate::objects::credentials::{Credentials, CredentialsCache};
use crate::objects::probe::PlainHttp;
use crate::objects::sign::Signer;
use crate::telemetry::metrics::Metrics;

/// The broker's parts.
pub(super) struct Patient {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    cloud: Arc<Cloud>,
    metrics: Arc<Metrics>,
    pub(super) store: ObjectStore,
    /// The bucket is not that of the settings.
    pub(super) is_tenants: bool,
    pub(super) wire: PlainHttp,
    /// Or why nothing can be signed.
    pub(super) signer: Result<Signer, String>,
    /// Or why there are none.
    pub(super) credentials: Result<Arc<Credentials>, String>,
    pub(super) topic: Option<Topic>,
    pub(super) queue: Option<Queue>,
    /// Somebody wants it to end.
    pub(super) stop: CancellationToken,
}

impl Patient {
    /// Wires the parts, and asks for credentials; nothing else is asked yet.
    pub(super) async fn new(
        settings: Settings,
        stop: CancellationToken,
    ) -> Result<Self, AssembleError> {
        let clock = Clock::system();
        let metrics = Arc::new(Metrics::new(clock.now())?);
        let found = cloud(&settings).await?;
        let cloud = Cloud {
            s3: settings.aws.bound(found.s3),
            sns: settings.aws.bound(found.sns),
            sqs: settings.aws.bound(found.sqs),
            topic: found.topic,
        };
        let signer = assemble::signer(&settings, &cloud).await;
        let topic = cloud.topic.as_ref();
        let queue = settings.s3_events.queue.as_ref();
        Ok(Self {
            store: switches::objects(&settings, &cloud, &metrics),
            is_tenants: false,
            wire: PlainHttp::new(settings.aws.total, bundle(&settings)?.as_ref())
                .map_err(AssembleError::Http)?,
            signer: signer.map_err(|error| causes(&error)),
            credentials: credentials(&cloud, clock.now()).await,
            topic: topic.map(|arn| Topic::new(&cloud.sns, arn.as_str(), Arc::clone(&metrics))),
            queue: queue.map(|url| {
                Queue::new(
                    &cloud.sqs,
                    url.as_str(),
                    QueueTiming::default(),
                    Arc::clone(&metrics),
                )
            }),
            metrics,
            cloud: Arc::new(cloud),
            clock,
            settings,
            stop,
        })
    }

    /// The same store with a tenant's own bucket in it: what the checks of a bucket need.
    pub(super) async fn at(&self, bucket: &str) -> Self {
        let mut settings = self.settings.clone();
        bucket.clone_into(&mut settings.s3.bucket);
        let signer = assemble::signer(&settings, &self.cloud).await;
        Self {
            store: switches::objects(&settings, &self.cloud, &self.metrics),
            is_tenants: true,
            wire: self.wire.clone(),
            signer: signer.map_err(|error| causes(&error)),
            credentials: self.credentials.clone(),
            topic: None,
            queue: None,
            metrics: Arc::clone(&self.metrics),
            cloud: Arc::clone(&self.cloud),
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            settings,
        }
    }
}

async fn credentials(cloud: &Cloud, now: DateTime<Utc>) -> Result<Arc<Credentials>, String> {
    let provider = cloud.s3.credentials_provider();
    let provider = provider.ok_or_else(|| causes(&AssembleError::NoCredentials))?;
    let cache = CredentialsCache::new(provider);
    cache.get(now).await.map_err(|error| causes(&error))
}
