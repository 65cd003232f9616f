//! The storage half behind s3s: its `S3` trait, one operation a line.

use std::sync::Arc;

use async_trait::async_trait;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::{AwsNameValidation, NameValidation as _};
use s3s::{S3, S3Request, S3Response, S3Result};
use secrecy::ExposeSecret as _;

use super::access::{Access, OnlyKey};
use super::bodies::Bodies;
use super::errors::{Error, Fault, internal};
use super::events::Observer;
use super::index::Index;
use super::object::{now, to_millis};
use super::{Options, buckets, copy, delete, get, list, put, tags};

/// s3s holds the file of a POST form in memory: no more than this of it.
const POST_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// A DeleteObjects of 1,000 keys of 1,024 bytes, escaped, fits.
const XML_MAX_BYTES: usize = 8 * 1024 * 1024;

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

/// Every operation that is not here answers `NotImplemented`, which is s3s's default.
#[async_trait]
impl S3 for Store {
    /// Also for POST forms: s3s brings them here.
    async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        put::put_object(self, req).await
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        get::get_object(self, req.input).await
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        get::head_object(self, req.input).await
    }

    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        tags::get_object_tagging(self, req.input).await
    }

    async fn copy_object(
        &self,
        req: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        copy::copy_object(self, req).await
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        delete::delete_object(self, req.input).await
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        delete::delete_objects(self, req.input).await
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        list::list_objects_v2(self, req.input).await
    }

    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        buckets::create_bucket(self, req.input).await
    }

    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        buckets::head_bucket(self, req.input.bucket).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        buckets::get_bucket_location(self, req.input.bucket).await
    }

    async fn list_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        buckets::list_buckets(self).await
    }
}
