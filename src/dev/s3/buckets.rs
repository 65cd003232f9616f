//! CreateBucket, HeadBucket, ListBuckets, GetBucketLocation.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput,
    GetBucketLocationOutput, HeadBucketOutput, ListBucketsOutput, Owner,
};
use s3s::{S3Response, S3Result, s3_error};

use super::object::{from_millis, now, to_millis};
use super::store::{Store, blocking};

/// The region in which the creation of a bucket that the caller already owns succeeds, and whose name is
/// omitted from locations. S3 keeps both for compatibility in its first region.
const FIRST_REGION: &str = "us-east-1";

pub(super) async fn create_bucket(
    store: &Store,
    input: CreateBucketInput,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let location = format!("/{}", input.bucket);
    let index = store.clone();
    let is_new =
        blocking(move || index.index().create_bucket(&input.bucket, to_millis(now()))).await?;
    if !is_new && store.region() != FIRST_REGION {
        return Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it."
        ));
    }
    Ok(S3Response::new(CreateBucketOutput {
        location: Some(location),
    }))
}

pub(super) async fn head_bucket(
    store: &Store,
    bucket: String,
) -> S3Result<S3Response<HeadBucketOutput>> {
    check_exists(store, bucket).await?;
    let bucket_region = Some(store.region().to_owned());
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region,
        ..HeadBucketOutput::default()
    }))
}

pub(super) async fn get_bucket_location(
    store: &Store,
    bucket: String,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    check_exists(store, bucket).await?;
    let region = Some(store.region().to_owned()).filter(|region| region != FIRST_REGION);
    let location_constraint = region.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput {
        location_constraint,
    }))
}

pub(super) async fn list_buckets(store: &Store) -> S3Result<S3Response<ListBucketsOutput>> {
    let index = store.clone();
    let rows = blocking(move || index.index().buckets()).await?;
    let buckets = rows.into_iter().map(|(name, created_ms)| Bucket {
        name: Some(name),
        creation_date: Some(from_millis(created_ms).into()),
        bucket_region: Some(store.region().to_owned()),
    });
    let owner = Owner {
        display_name: None,
        id: Some("dev".to_owned()),
    };
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner),
        ..ListBucketsOutput::default()
    }))
}

async fn check_exists(store: &Store, bucket: String) -> S3Result<()> {
    let index = store.clone();
    blocking(move || index.index().check_bucket(&bucket)).await
}
