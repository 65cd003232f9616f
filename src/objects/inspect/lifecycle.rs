//! The bucket's lifecycle rules, as far as they end multipart uploads.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule};

use super::unsaid;
use crate::objects::store::{ObjectStore, StoreError};

/// A rule in force that aborts multipart uploads which are not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortRule {
    /// Its name.
    pub id: String,
    /// Of keys that start like this; empty: of all.
    pub prefix: String,
    /// So many days after the upload began, at the midnight (UTC) that follows.
    pub days: u32,
}

impl ObjectStore {
    /// Every rule in force that aborts multipart uploads.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the store will not say.
    pub async fn abort_rules(&self) -> Result<Vec<AbortRule>, StoreError> {
        let call = self.client.get_bucket_lifecycle_configuration();
        let call = call.bucket(self.bucket()).send();
        let operation = "GetBucketLifecycleConfiguration";
        match self.timed(operation, call).await {
            Ok(output) => Ok(output.rules().iter().filter_map(abort).collect()),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Vec::new()),
            Err(error) => Err(unsaid(operation, error)),
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
    #[expect(deprecated, reason = "rules of old have it here")]
    let old = rule.prefix.clone();
    Some(AbortRule {
        id: rule.id.clone().unwrap_or_default(),
        prefix: prefix.or(old).unwrap_or_default(),
        days: abort.days_after_initiation?.try_into().ok()?,
    })
}
