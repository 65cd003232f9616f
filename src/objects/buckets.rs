//! The buckets: the one of the settings, and those of tenants.
//!
//! All are buckets of one store: the same endpoint, region, credentials and settings. A tenant's
//! own is met when the first of its uploads or callers comes, and kept: as many as tenants have.
//! Meeting it asks nobody.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_sdk_s3::Client;
use tokio::sync::Notify;

use super::abilities::KnownAbilities;
use super::endpoint::{self, Endpoint};
use super::sign::Signer;
use super::store::{ObjectStore, StoreError};
use crate::domain::abilities::{Abilities, Support};
use crate::telemetry::metrics::Metrics;

/// One bucket: what stands in it, and URLs into it.
pub struct Bucket {
    /// Speaks to it.
    pub objects: ObjectStore,
    /// Makes URLs for the endpoint that clients see.
    pub signer: Signer,
    /// Where the broker itself reaches it: scheme and authority.
    pub endpoint: Box<str>,
}

/// What buckets have in common.
pub struct Settings {
    /// Speaks to the store.
    pub client: Client,
    /// The same for the endpoint that clients see, which need not be the one that we see.
    pub public: Client,
    /// What the settings say of the store.
    pub abilities: Abilities,
    /// Counts the calls.
    pub metrics: Arc<Metrics>,
}

/// Every bucket that was met.
pub struct Buckets {
    settings: Settings,
    common: Arc<Bucket>,
    others: ArcSwap<HashMap<Arc<str>, Arc<Bucket>>>,
    newcomer: Notify,
}

impl Buckets {
    /// The bucket `common` is there from the start.
    ///
    /// # Errors
    /// When the SDK's rules refuse its name, or cannot say where it is.
    pub async fn new(settings: Settings, common: &str) -> Result<Self, endpoint::Error> {
        let common = Arc::new(settings.meet(common).await?);
        Ok(Self {
            settings,
            common,
            others: ArcSwap::default(),
            newcomer: Notify::new(),
        })
    }

    /// The name of the bucket of all who have none of their own.
    pub fn common(&self) -> &str {
        self.common.objects.bucket()
    }

    /// Whether the common bucket answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.common.objects.check().await
    }

    /// Those that were met, the common one first.
    pub fn known(&self) -> Vec<Arc<Bucket>> {
        let others = self.others.load();
        let others = others.values().map(Arc::clone);
        std::iter::once(Arc::clone(&self.common))
            .chain(others)
            .collect()
    }

    /// The bucket of all who have none of their own.
    pub fn common_bucket(&self) -> &Bucket {
        &self.common
    }

    /// The bucket of this name.
    ///
    /// # Errors
    /// When the SDK's rules refuse the name.
    pub async fn at(&self, name: &str) -> Result<Arc<Bucket>, endpoint::Error> {
        if name == self.common() {
            return Ok(Arc::clone(&self.common));
        }
        if let Some(met) = self.others.load().get(name) {
            return Ok(Arc::clone(met));
        }
        let met = Arc::new(self.settings.meet(name).await?);
        self.others.rcu(|others| {
            let mut others = HashMap::clone(others);
            others.insert(met.objects.name(), Arc::clone(&met));
            others
        });
        self.newcomer.notify_one();
        Ok(met)
    }

    /// Returns when a bucket is met for the first time; at once where one was since the last call.
    /// For one loop alone.
    pub async fn wait_for_new_bucket(&self) {
        self.newcomer.notified().await;
    }
}

impl Settings {
    async fn meet(&self, name: &str) -> Result<Bucket, endpoint::Error> {
        let signer = Signer::new(Endpoint::resolve(&self.public, name).await?);
        let own = Endpoint::resolve(&self.client, name).await?;
        let given = match own.is_aws() {
            true => self.abilities.or(Abilities::all(Support::Yes)),
            false => self.abilities,
        };
        let (client, metrics) = (self.client.clone(), Arc::clone(&self.metrics));
        Ok(Bucket {
            objects: ObjectStore::new(client, name, KnownAbilities::new(given), metrics),
            endpoint: own.origin().into(),
            signer,
        })
    }
}
