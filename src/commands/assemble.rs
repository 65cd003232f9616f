//! Builds the components of a broker and connects them: the same for `serve`, `dev` and `janitor`.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;

pub use super::assemble_error::AssembleError;
pub use super::cloud::Cloud;
use super::observers::{self, Senders};
use super::{build_worker, store_abilities};
use crate::arrivals::reader::Reader;
use crate::clock::Clock;
use crate::config::{self, Auth, Database, Settings, Sse};
use crate::domain::encryption::Encryption;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::rules::ProcessingRules;
use crate::identity::jwt::Jwt;
use crate::identity::upload_token::TokenKey;
use crate::notify::relay::Relay;
use crate::notify::sns::Topic;
use crate::notify::webhooks;
use crate::notify::webhooks::relay::{Limits, WebhookRelay};
use crate::objects::credentials::{CachedProvider, CredentialsCache};
use crate::objects::endpoint::Endpoint;
use crate::objects::sign::Signer;
use crate::objects::{BucketSettings, Buckets, client};
use crate::sqs::queue::{Purpose, Queue};
use crate::sqs::timing::QueueTiming;
use crate::store;
use crate::store::pool;
use crate::telemetry::metrics::Metrics;
use crate::usecases::context::{
    AuditQueue, Batches, Broker, Caches, Connections, EventFeed, EventSignal, Retention, Rules,
    S3Events, Stores, StreamLimits, Tasks,
};
use crate::usecases::datasets::copy;
use crate::worker::Worker;

/// The components of a broker that is not running yet.
pub struct Assembly {
    /// What every use case works with.
    pub broker: Arc<Broker>,
    pub(super) relay: Relay,
    pub(super) webhooks: WebhookRelay,
    pub(super) reader: Option<Reader>,
    pub(super) worker: Option<Worker>,
    pub(super) senders: Senders,
}

/// Migrates the database if the settings say so, and builds the components. Sends nothing to S3.
/// `processing` are the rules for proven uploads, see [`processing_rules`](super::processing_rules).
pub async fn assemble(
    settings: &Settings,
    processing: ProcessingRules,
    cloud: &Cloud,
    clock: Clock,
) -> Result<Assembly, AssembleError> {
    if !processing.is_empty() {
        log::info!("processing rules: {}", processing.iter().len());
    }
    let database = &settings.database;
    ensure_dedicated_sessions(database).await?;
    if database.migrate {
        for migration in store::migrations::run(database.url.expose()).await? {
            log::info!("applied migration {migration}");
        }
    }
    let metrics = Arc::new(Metrics::new(clock.now())?);
    let (observers, senders) = observers::build(settings, &metrics)?;
    let tracer = observers.tracer.clone();
    let pool = pool::build(
        database.url.expose(),
        limits(database),
        Arc::clone(&metrics),
    )?;
    let credentials = (cloud.s3.credentials_provider())
        .map(CredentialsCache::new)
        .ok_or(AssembleError::NoCredentials)?;
    let cached = CachedProvider::new(credentials.clone(), clock.clone());
    let s3 = (cloud.s3.to_builder())
        .credentials_provider(SharedCredentialsProvider::new(cached))
        .build();
    let cloud = &Cloud {
        s3: settings.aws.with_limits(s3),
        sns: settings.aws.with_limits(cloud.sns.clone()),
        sqs: settings.aws.with_limits(cloud.sqs.clone()),
        worker_sqs: settings.aws.with_limits(cloud.worker_sqs.clone()),
        textract: settings.aws.with_limits(cloud.textract.clone()),
        topic: cloud.topic.clone(),
    };
    let outbox = EventSignal::default();
    let (wake, wake_webhooks) = (Arc::clone(&outbox.relay), Arc::clone(&outbox.webhooks));
    let jwt = (settings.identity.jwt.as_ref())
        .map(Jwt::new)
        .transpose()
        .map_err(AssembleError::Issuer)?;
    let token_key = (settings.identity.token_secret.as_ref()).map(token_key);
    let broker = Broker {
        connections: Connections::new(pool.clone(), database.pool_size, database.pool_wait),
        stores: Stores {
            buckets: buckets(settings, cloud, &metrics).await?,
            credentials,
        },
        rules: rules(settings, processing),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
        observers,
        caches: Caches::new(jwt, token_key),
        batches: Batches::default(),
        tasks: Tasks::new(copy::CONCURRENT_COPIES),
        audit: AuditQueue::new(Arc::clone(&metrics)),
        feed: EventFeed::new(
            streams(settings),
            Arc::clone(&metrics),
            Arc::clone(&outbox.feed),
        ),
        outbox,
        jobs_queued: Notify::new(),
        s3_events: S3Events::default(),
    };
    let webhooks = WebhookRelay::new(
        pool.clone(),
        webhooks::Client::new(settings.webhooks.allow_private).map_err(AssembleError::Webhooks)?,
        settings.janitor.lease,
        clock.clone(),
        Arc::clone(&metrics),
        wake_webhooks,
        Limits::default(),
    )
    .with_tracer(tracer.clone());
    let topic = cloud.topic.as_ref();
    let relay = Relay {
        pool,
        topic: topic.map(|arn| {
            let topic = Topic::new(&cloud.sns, arn.as_str(), Arc::clone(&metrics));
            topic.with_tracer(tracer)
        }),
        lease: settings.janitor.lease,
        clock,
        metrics,
        wake,
    };
    let broker = Arc::new(broker);
    Ok(Assembly {
        reader: reader(settings, cloud, &broker),
        worker: build_worker::build(settings, cloud, &broker)?,
        broker,
        relay,
        webhooks,
        senders,
    })
}

/// Rejects a pooler that assigns sessions per transaction. If Postgres does not respond now, the
/// readiness check repeats this check.
async fn ensure_dedicated_sessions(database: &Database) -> Result<(), AssembleError> {
    let asked = pool::ensure_dedicated_sessions(database.url.expose());
    match tokio::time::timeout(database.connect_timeout, asked).await {
        Ok(Err(lent @ pool::SessionError::Shared)) => Err(AssembleError::Sessions(lent)),
        Ok(Ok(()) | Err(_)) | Err(_) => Ok(()),
    }
}

fn token_key(secret: &SecretString) -> TokenKey {
    TokenKey::new(secret.expose_secret().as_bytes())
}

fn limits(database: &Database) -> pool::PoolLimits {
    pool::PoolLimits {
        size: database.pool_size,
        connect_timeout: database.connect_timeout,
        wait_timeout: database.pool_wait,
        statement_timeout: database.statement_timeout,
    }
}

fn streams(settings: &Settings) -> StreamLimits {
    StreamLimits {
        total: settings.http.max_streams,
        per_tenant: settings.http.max_streams_per_tenant,
    }
}

fn reader(settings: &Settings, cloud: &Cloud, broker: &Arc<Broker>) -> Option<Reader> {
    let queue = settings.s3_events.queue.as_ref()?;
    let metrics = Arc::clone(&broker.metrics);
    Some(Reader {
        queue: Queue::new(
            &cloud.sqs,
            queue.as_str(),
            Purpose::S3Events,
            QueueTiming::default(),
            metrics,
        ),
        broker: Arc::clone(broker),
    })
}

async fn buckets(
    settings: &Settings,
    cloud: &Cloud,
    metrics: &Arc<Metrics>,
) -> Result<Buckets, AssembleError> {
    let in_common = BucketSettings {
        client: client::build(&cloud.s3, settings.s3.path_style, None),
        public: public_client(settings, cloud),
        abilities: store_abilities::configured(settings.s3.switches),
        metrics: Arc::clone(metrics),
    };
    Ok(Buckets::new(in_common, &settings.s3.bucket).await?)
}

fn public_client(settings: &Settings, cloud: &Cloud) -> Client {
    let public = settings.s3.public_endpoint.as_ref().map(|url| url.as_str());
    client::build(&cloud.s3, settings.s3.path_style, public)
}

/// The signer for the endpoint that clients use, which may differ from the endpoint that the broker
/// uses.
pub(super) async fn signer(settings: &Settings, cloud: &Cloud) -> Result<Signer, AssembleError> {
    let client = public_client(settings, cloud);
    Ok(Signer::new(
        Endpoint::resolve(&client, &settings.s3.bucket).await?,
    ))
}

fn days(days: u32) -> TimeDelta {
    TimeDelta::days(days.into())
}

fn encryption(asked: &Sse) -> Option<Encryption> {
    match asked {
        Sse::None => None,
        Sse::S3 => Some(Encryption::S3),
        Sse::Kms { key_id, bucket_key } => Some(Encryption::Kms {
            key_id: key_id.clone(),
            bucket_key: *bucket_key,
        }),
    }
}

fn rules(settings: &Settings, processing: ProcessingRules) -> Rules {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    Rules {
        url_seconds: seconds(settings.uploads.url_lifetime),
        max_size: settings.uploads.max_size_bytes,
        multipart_threshold: settings.uploads.multipart_threshold_bytes,
        copy_threshold: settings.uploads.copy_threshold_bytes,
        session_max_seconds: seconds(settings.uploads.session_max),
        complete_timeout: settings.uploads.complete_timeout,
        lease: settings.janitor.lease,
        encryption: encryption(&settings.s3.encryption),
        content_types: settings.uploads.content_types.clone(),
        grace_seconds: seconds(settings.uploads.expiry_grace),
        authentication: settings.auth == Auth::Required,
        audited: settings.audit == config::Audit::On,
        notified: NotifiedTypes::named(&settings.notify.types),
        retention: Retention {
            events: settings.janitor.events_days.map(days),
            uploads: settings.janitor.uploads_days.map(days),
            audit: settings.janitor.audit_days.map(days),
        },
        derived_prefix: settings.worker.derived_prefix.clone(),
        stale_multipart: settings.janitor.stale_multipart,
        arrival_check: (settings.janitor.arrival_check)
            .and_then(|after| TimeDelta::from_std(after).ok()),
        processing: Arc::new(processing),
    }
}
