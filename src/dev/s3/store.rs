//! The store: the index, the bodies and the observer.

use std::fs::File;
use std::io::ErrorKind;
use std::sync::Arc;

use s3s::S3Result;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::{AwsNameValidation, NameValidation as _};
use secrecy::ExposeSecret as _;

use super::access::{Access, OnlyKey};
use super::bodies::Bodies;
use super::errors::{Error, StoreError, internal};
use super::events::Observer;
use super::index::Index;
use super::object::{Object, now, to_millis};
use super::options::Options;

/// The largest file in a POST form. s3s keeps it in memory.
const POST_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The largest XML body. A DeleteObjects with 1,000 keys of 1,024 escaped bytes is smaller.
const XML_MAX_BYTES: usize = 8 * 1024 * 1024;

/// If an object is replaced between the read of the index and the opening of its body, the index refers
/// to another body then, and the read starts over. More attempts than this cannot be explained by such a
/// race.
const MAX_ATTEMPTS: usize = 16;

/// The store. Clones share the same data.
#[derive(Clone)]
pub(super) struct Store(Arc<Inner>);

struct Inner {
    index: Index,
    bodies: Arc<Bodies>,
    region: String,
    observer: Option<Arc<dyn Observer>>,
}

/// Opens the store and returns the service that implements the S3 protocol for it.
pub(super) async fn open(options: Options) -> Result<S3Service, Error> {
    let auth = OnlyKey {
        access_key: options.access_key.clone(),
        secret_key: options.secret_key.expose_secret().into(),
    };
    let access = Access::new(options.region.clone());
    let store = tokio::task::spawn_blocking(move || Store::open(options))
        .await
        .map_err(|error| Error::Index(Box::new(error)))??;
    let mut config = S3Config::default();
    config.post_object_max_file_size = POST_MAX_BYTES;
    config.xml_max_body_size = XML_MAX_BYTES;
    let mut service = S3ServiceBuilder::new(store);
    service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    service.set_auth(auth);
    service.set_access(access);
    Ok(service.build())
}

impl Store {
    fn open(options: Options) -> Result<Self, Error> {
        let folder = |source| Error::Folder {
            path: options.dir.clone(),
            source,
        };
        let bodies = Bodies::open(options.dir.join("bodies"), options.fsync).map_err(folder)?;
        let index = Index::open(&options.dir.join("index.redb"), options.fsync)?;
        let removed = bodies.remove_unused(|id| index.uses_body(id))?;
        if removed > 0 {
            log::info!(target: "upload_broker::dev::s3", "removed {removed} bodies of unfinished uploads of the last run");
        }
        for bucket in &options.buckets {
            if !AwsNameValidation::new().validate_bucket_name(bucket) {
                return Err(Error::BucketName(bucket.clone()));
            }
            index.create_bucket(bucket, to_millis(now()))?;
        }
        let (region, observer) = (options.region, options.observer);
        Ok(Self(Arc::new(Inner {
            index,
            bodies: Arc::new(bodies),
            region,
            observer,
        })))
    }

    /// Its methods block, so they are only called inside [`blocking`].
    pub(super) fn index(&self) -> &Index {
        &self.0.index
    }

    /// Returns the record of an object, and its open body. Blocks.
    pub(super) fn open_body(&self, bucket: &str, key: &str) -> Result<(Object, File), StoreError> {
        let mut attempt = 0;
        loop {
            let object = self.index().get(bucket, key)?;
            attempt += 1;
            match self.bodies().read(object.body) {
                Err(error) if error.kind() == ErrorKind::NotFound && attempt < MAX_ATTEMPTS => {}
                file => return Ok((object, file?)),
            }
        }
    }

    pub(super) fn bodies(&self) -> Arc<Bodies> {
        Arc::clone(&self.0.bodies)
    }

    pub(super) fn region(&self) -> &str {
        &self.0.region
    }

    pub(super) fn observer(&self) -> Option<&dyn Observer> {
        self.0.observer.as_deref()
    }
}

/// Runs blocking work on a thread of the blocking pool. It runs to its end even if the caller is
/// cancelled.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> S3Result<T> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| internal(&error))?;
    Ok(done?)
}
