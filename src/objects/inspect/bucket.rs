//! HEAD of the bucket, read closely.

use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// What a HEAD of the bucket came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketStatus {
    /// It is there, and ours to use.
    Reachable,
    /// There is no such bucket.
    Missing,
    /// It is in another region; which one, where the store says so.
    OtherRegion(Option<String>),
    /// The store refuses us: the key, its secret, its rights or the clock are wrong. The answer to
    /// a HEAD has no body that could tell which.
    Refused(u16),
}

impl ObjectStore {
    /// Whether the bucket answers, and if not, why.
    ///
    /// # Errors
    /// No answer, or a fault of the store's own.
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
            // A signature for another region gets 400, and the header names the right one.
            Some(400) if region.is_some() => Ok(BucketStatus::OtherRegion(region)),
            Some(status @ 400..=499) => Ok(BucketStatus::Refused(status)),
            _ => Err(failed("HeadBucket", error)),
        }
    }
}
