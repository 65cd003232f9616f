//! The status of the bucket, by a HEAD request.

use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// The result of a HEAD request for the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketStatus {
    /// The bucket exists and can be used.
    Reachable,
    /// There is no such bucket.
    Missing,
    /// The bucket is in another region, which is given if the store names it.
    OtherRegion(Option<String>),
    /// The store refuses the request: the access key, its secret, its rights or the clock are
    /// wrong. The response to a HEAD request has no body that would say which.
    Refused(u16),
}

impl ObjectStore {
    /// Returns whether the bucket can be reached, and if not, why.
    ///
    /// # Errors
    /// The store does not answer, or answers with a server error.
    pub async fn bucket_status(&self) -> Result<BucketStatus, StoreError> {
        let call = self.client.head_bucket().bucket(self.bucket()).send();
        let error = match self.timed("HeadBucket", call).await {
            Ok(_) => return Ok(BucketStatus::Reachable),
            Err(error) => error,
        };
        let headers = error.raw_response().map(|response| response.headers());
        let region = headers.and_then(|headers| headers.get("x-amz-bucket-region"));
        let region = region.map(str::to_owned);
        match status(&error) {
            Some(404) => Ok(BucketStatus::Missing),
            Some(301 | 307) => Ok(BucketStatus::OtherRegion(region)),
            // A signature for another region is answered with 400 and a header that names the right
            // region.
            Some(400) if region.is_some() => Ok(BucketStatus::OtherRegion(region)),
            Some(status @ 400..=499) => Ok(BucketStatus::Refused(status)),
            _ => Err(failed("HeadBucket", error)),
        }
    }
}
