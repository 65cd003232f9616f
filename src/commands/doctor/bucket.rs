//! `bucket`: does the bucket respond?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::objects::inspect::BucketStatus;

pub(super) async fn check_bucket(context: &CheckContext) -> Verdict {
    let name = context.store.bucket();
    match context.store.bucket_status().await {
        Ok(BucketStatus::Reachable) => Verdict::ok(format!("{name} responds")),
        Ok(BucketStatus::Missing) => Verdict::failed(
            format!("bucket {name} does not exist"),
            match context.is_tenant_bucket {
                true => "create it: the bucket of a tenant cannot be changed",
                false => "create it, or set BROKER_S3_BUCKET to an existing bucket",
            },
        ),
        Ok(BucketStatus::OtherRegion(region)) => Verdict::failed(
            format!("{name} is in another region"),
            match region {
                _ if context.is_tenant_bucket => {
                    "create a bucket in AWS_REGION: all buckets must be in one region".to_owned()
                }
                Some(region) => format!("set AWS_REGION={region}"),
                None => "set AWS_REGION to the region of the bucket".to_owned(),
            },
        ),
        Ok(BucketStatus::Refused(status)) => Verdict::failed(
            format!("S3 denies access to {name} ({status})"),
            "check the access key and its secret, the policy of the role (`doctor --policy`), the bucket \
             policy, and the check `clock`",
        ),
        Err(error) => Verdict::error(
            &error,
            "check AWS_REGION, AWS_ENDPOINT_URL_S3 and the network connection",
        ),
    }
}
