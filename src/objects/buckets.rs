//! The buckets: the one of the settings, and those of tenants.
//!
//! All are buckets of one store: the same endpoint, region, credentials and settings. A tenant's
//! own is met when the first of its uploads or callers comes, and kept: as many as tenants have.
//! Meeting it asks nobody.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_sdk_s3::Client;

use super::endpoint::{self, Endpoint};
use super::sign::Signer;
use super::store::{ObjectStore, StoreError};
use crate::telemetry::metrics::Metrics;

/// One bucket: what stands in it, and URLs into it.
pub struct Bucket {
    /// Speaks to it.
    pub objects: ObjectStore,
    /// Makes URLs for the endpoint that clients see.
    pub signer: Signer,
}

/// What buckets have in common.
pub struct Settings {
    /// Speaks to the store.
    pub client: Client,
    /// The same for the endpoint that clients see, which need not be the one that we see.
    pub public: Client,
    /// Whether the store honours `If-Match` and `If-None-Match` on writes.
    pub conditional_writes: bool,
    /// Counts the calls.
    pub metrics: Arc<Metrics>,
}

/// Every bucket that was met.
pub struct Buckets {
    settings: Settings,
    common: Arc<Bucket>,
    others: ArcSwap<HashMap<Arc<str>, Arc<Bucket>>>,
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
        Ok(met)
    }
}

impl Settings {
    async fn meet(&self, name: &str) -> Result<Bucket, endpoint::Error> {
        let signer = Signer::new(Endpoint::learn(&self.public, name).await?);
        let (client, metrics) = (self.client.clone(), Arc::clone(&self.metrics));
        Ok(Bucket {
            objects: ObjectStore::new(client, name, self.conditional_writes, metrics),
            signer,
        })
    }
}
