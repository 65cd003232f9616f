//! CreateBucket, HeadBucket, ListBuckets, GetBucketLocation.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput,
    GetBucketLocationOutput, HeadBucketOutput, ListBucketsOutput, Owner,
};
use s3s::{S3Response, S3Result, s3_error};

use super::object::{from_millis, now, to_millis};
use super::store::{Store, blocking};

/// The region in which making one's own bucket again succeeds, and whose name is left out of
/// locations. Both are history that S3 keeps for its first region.
const FIRST_REGION: &str = "us-east-1";

pub(super) async fn create_bucket(
    store: &Store,
    input: CreateBucketInput,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let location = format!("/{}", input.bucket);
    let index = store.clone();
    let new =
        blocking(move || index.index().create_bucket(&input.bucket, to_millis(now()))).await?;
    if !new && store.region() != FIRST_REGION {
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
    check(store, bucket).await?;
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
    check(store, bucket).await?;
    let region = Some(store.region().to_owned()).filter(|region| region != FIRST_REGION);
    let location_constraint = region.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput {
        location_constraint,
    }))
}

pub(super) async fn list_buckets(store: &Store) -> S3Result<S3Response<ListBucketsOutput>> {
    let index = store.clone();
    let rows = blocking(move || index.index().buckets()).await?;
    let buckets = rows.into_iter().map(|(name, made_ms)| Bucket {
        name: Some(name),
        creation_date: Some(from_millis(made_ms).into()),
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

async fn check(store: &Store, bucket: String) -> S3Result<()> {
    let index = store.clone();
    blocking(move || index.index().check_bucket(&bucket)).await
}
