//! `bucket`: does it answer?

use super::patient::Patient;
use super::verdict::Verdict;
use crate::objects::inspect::BucketStatus;

pub(super) async fn check(patient: &Patient) -> Verdict {
    let name = patient.store.bucket();
    match patient.store.bucket_status().await {
        Ok(BucketStatus::Reachable) => Verdict::ok(format!("{name} answers")),
        Ok(BucketStatus::Missing) => Verdict::failed(
            format!("there is no bucket {name}"),
            match patient.is_tenants {
                true => "make it: a tenant's bucket cannot be changed",
                false => "make it, or set BROKER_S3_BUCKET to the right one",
            },
        ),
        Ok(BucketStatus::OtherRegion(region)) => Verdict::failed(
            format!("{name} is in another region"),
            match region {
                _ if patient.is_tenants => {
                    "make one in AWS_REGION: all buckets are of one region".to_owned()
                }
                Some(region) => format!("set AWS_REGION={region}"),
                None => "set AWS_REGION to the bucket's".to_owned(),
            },
        ),
        Ok(BucketStatus::Refused(status)) => Verdict::failed(
            format!("S3 refuses us at {name} ({status})"),
            "check the key and its secret, the role's policy (`doctor --policy`), the bucket's \
             own policy, and the check `clock`",
        ),
        Err(error) => Verdict::fault(
            &error,
            "check AWS_REGION, AWS_ENDPOINT_URL_S3 and the network on the way there",
        ),
    }
}
