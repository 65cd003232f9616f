//! The buckets: the common one of the settings, and those of tenants.
//!
//! All buckets are in the same store, with the same endpoint, region, credentials and settings. The
//! bucket of a tenant is opened on its first use and kept. Opening a bucket sends no request.

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

/// A bucket with its client and its signer.
pub struct Bucket {
    /// Sends requests to the bucket.
    pub objects: ObjectStore,
    /// Signs URLs for the public endpoint, which clients use.
    pub signer: Signer,
    /// The scheme and authority by which the broker itself reaches the bucket.
    pub endpoint: Box<str>,
}

/// The configuration that all buckets share.
pub struct Settings {
    /// The client for the endpoint that the broker uses.
    pub client: Client,
    /// The client for the public endpoint, which may differ from that of the broker.
    pub public: Client,
    /// The abilities of the store that follow from the settings.
    pub abilities: Abilities,
    /// The metrics of the calls.
    pub metrics: Arc<Metrics>,
}

/// All buckets that were opened.
pub struct Buckets {
    settings: Settings,
    common: Arc<Bucket>,
    others: ArcSwap<HashMap<Arc<str>, Arc<Bucket>>>,
    opened: Notify,
}

impl Buckets {
    /// Opens the common bucket.
    ///
    /// # Errors
    /// The endpoint rules of the SDK refuse the name or cannot resolve it.
    pub async fn new(settings: Settings, common: &str) -> Result<Self, endpoint::Error> {
        let common = Arc::new(settings.open(common).await?);
        Ok(Self {
            settings,
            common,
            others: ArcSwap::default(),
            opened: Notify::new(),
        })
    }

    /// The name of the common bucket, which tenants without a bucket of their own use.
    pub fn common(&self) -> &str {
        self.common.objects.bucket()
    }

    /// Checks that the common bucket answers.
    ///
    /// # Errors
    /// It does not, or refuses the request.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.common.objects.check().await
    }

    /// The opened buckets, the common one first.
    pub fn known(&self) -> Vec<Arc<Bucket>> {
        let others = self.others.load();
        let others = others.values().map(Arc::clone);
        std::iter::once(Arc::clone(&self.common))
            .chain(others)
            .collect()
    }

    /// The common bucket, which tenants without a bucket of their own use.
    pub fn common_bucket(&self) -> &Bucket {
        &self.common
    }

    /// Returns the bucket with this name, and opens it on its first use.
    ///
    /// # Errors
    /// The endpoint rules of the SDK refuse the name.
    pub async fn at(&self, name: &str) -> Result<Arc<Bucket>, endpoint::Error> {
        if name == self.common() {
            return Ok(Arc::clone(&self.common));
        }
        if let Some(bucket) = self.others.load().get(name) {
            return Ok(Arc::clone(bucket));
        }
        let bucket = Arc::new(self.settings.open(name).await?);
        self.others.rcu(|others| {
            let mut others = HashMap::clone(others);
            others.insert(bucket.objects.name(), Arc::clone(&bucket));
            others
        });
        self.opened.notify_one();
        Ok(bucket)
    }

    /// Waits until a bucket is opened; returns at once if one was opened since the last call. Only
    /// one task may call this.
    pub async fn wait_for_new_bucket(&self) {
        self.opened.notified().await;
    }
}

impl Settings {
    async fn open(&self, name: &str) -> Result<Bucket, endpoint::Error> {
        let signer = Signer::new(Endpoint::resolve(&self.public, name).await?);
        let own = Endpoint::resolve(&self.client, name).await?;
        let abilities = match own.is_aws() {
            true => self.abilities.or(Abilities::all(Support::Yes)),
            false => self.abilities,
        };
        let (client, metrics) = (self.client.clone(), Arc::clone(&self.metrics));
        Ok(Bucket {
            objects: ObjectStore::new(client, name, KnownAbilities::new(abilities), metrics),
            endpoint: own.origin().into(),
            signer,
        })
    }
}
