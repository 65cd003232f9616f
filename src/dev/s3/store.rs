//! The store: the index, the bodies and who watches them, opened and swept.

use std::fs::File;
use std::io::ErrorKind;
use std::sync::Arc;

use s3s::S3Result;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::{AwsNameValidation, NameValidation as _};
use secrecy::ExposeSecret as _;

use super::Options;
use super::access::{Access, OnlyKey};
use super::bodies::Bodies;
use super::errors::{Error, Fault, internal};
use super::events::Observer;
use super::index::Index;
use super::object::{Object, now, to_millis};

/// s3s holds the file of a POST form in memory: no more than this of it.
const POST_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// A DeleteObjects of 1,000 keys of 1,024 bytes, escaped, fits.
const XML_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A replaced object loses its body between our look at the index and the opening of the file;
/// the index then names another. More rounds than this is no race.
const ROUNDS: usize = 16;

/// The store; a clone is the same store.
#[derive(Clone)]
pub(super) struct Store(Arc<Inner>);

struct Inner {
    index: Index,
    bodies: Arc<Bodies>,
    region: String,
    observer: Option<Arc<dyn Observer>>,
}

/// Opens the folder, sweeps it, makes the buckets, and puts the protocol around it.
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
        let swept = bodies.sweep(|id| index.uses_body(id))?;
        if swept > 0 {
            log::info!(target: "upload_broker::dev::s3", "removed {swept} unfinished uploads of the last run");
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

    /// Blocks: only inside [`blocking`].
    pub(super) fn index(&self) -> &Index {
        &self.0.index
    }

    /// The record and its open body. Blocks.
    pub(super) fn open_body(&self, bucket: &str, key: &str) -> Result<(Object, File), Fault> {
        let mut round = 0;
        loop {
            let object = self.index().get(bucket, key)?;
            round += 1;
            match self.bodies().read(object.body) {
                Err(error) if error.kind() == ErrorKind::NotFound && round < ROUNDS => {}
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

/// Runs disk work off the async threads. It runs to its end even when the caller goes away.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> S3Result<T> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| internal(&error))?;
    Ok(done?)
}
