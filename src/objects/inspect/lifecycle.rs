//! The lifecycle rules of the bucket that abort multipart uploads.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule};

use super::error::refused_or_failed;
use crate::objects::store::{ObjectStore, StoreError};

/// An enabled rule that aborts incomplete multipart uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortRule {
    /// The name of the rule.
    pub id: String,
    /// The prefix of the keys that the rule applies to; empty for all keys.
    pub prefix: String,
    /// After how many days an upload is aborted, at the following midnight (UTC).
    pub days: u32,
}

impl ObjectStore {
    /// Returns all enabled rules that abort multipart uploads.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store denies or lacks the operation.
    pub async fn abort_rules(&self) -> Result<Vec<AbortRule>, StoreError> {
        let call = self.client.get_bucket_lifecycle_configuration();
        let call = call.bucket(self.bucket()).send();
        let operation = "GetBucketLifecycleConfiguration";
        match self.timed(operation, call).await {
            Ok(output) => Ok(output.rules().iter().filter_map(abort).collect()),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Vec::new()),
            Err(error) => Err(refused_or_failed(operation, error)),
        }
    }
}

fn abort(rule: &LifecycleRule) -> Option<AbortRule> {
    if rule.status != ExpirationStatus::Enabled {
        return None;
    }
    let abort = rule.abort_incomplete_multipart_upload.as_ref()?;
    let filter = rule.filter.as_ref();
    let both = filter.and_then(|filter| filter.and.as_ref());
    let prefix = filter
        .and_then(|filter| filter.prefix.clone())
        .or_else(|| both.and_then(|both| both.prefix.clone()));
    #[expect(deprecated, reason = "old rules have the prefix here")]
    let old = rule.prefix.clone();
    Some(AbortRule {
        id: rule.id.clone().unwrap_or_default(),
        prefix: prefix.or(old).unwrap_or_default(),
        days: abort.days_after_initiation?.try_into().ok()?,
    })
}
