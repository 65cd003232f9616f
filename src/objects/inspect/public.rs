//! Whether the bucket is public.

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use super::error::refused_or_failed;
use crate::objects::store::{ObjectStore, StoreError};

/// The four settings of "Block public access" of the bucket. The account may have the same
/// settings, which the bucket does not report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// New public ACLs are refused.
    pub block_acls: bool,
    /// Public ACLs are ignored.
    pub ignore_acls: bool,
    /// New public policies are refused.
    pub block_policy: bool,
    /// A public policy gives access only to the account of the bucket.
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// The S3 names of the settings that are off.
    pub fn off(self) -> Vec<&'static str> {
        [
            (self.block_acls, "BlockPublicAcls"),
            (self.ignore_acls, "IgnorePublicAcls"),
            (self.block_policy, "BlockPublicPolicy"),
            (self.restrict_buckets, "RestrictPublicBuckets"),
        ]
        .into_iter()
        .filter_map(|(on, name)| (!on).then_some(name))
        .collect()
    }
}

impl ObjectStore {
    /// Returns the settings; all are off if the bucket has none.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store denies or lacks the operation.
    pub async fn public_access_block(&self) -> Result<PublicAccessBlock, StoreError> {
        let call = self.client.get_public_access_block().bucket(self.bucket());
        let output = match self.timed("GetPublicAccessBlock", call.send()).await {
            Ok(output) => output,
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => {
                return Ok(PublicAccessBlock::default());
            }
            Err(error) => return Err(refused_or_failed("GetPublicAccessBlock", error)),
        };
        let switches = output.public_access_block_configuration.map(|all| {
            let on = |switch: Option<bool>| switch.unwrap_or(false);
            PublicAccessBlock {
                block_acls: on(all.block_public_acls),
                ignore_acls: on(all.ignore_public_acls),
                block_policy: on(all.block_public_policy),
                restrict_buckets: on(all.restrict_public_buckets),
            }
        });
        Ok(switches.unwrap_or_default())
    }

    /// Returns whether the policy of the bucket makes it public.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store denies or lacks the operation.
    pub async fn has_public_policy(&self) -> Result<bool, StoreError> {
        let call = self.client.get_bucket_policy_status().bucket(self.bucket());
        match self.timed("GetBucketPolicyStatus", call.send()).await {
            Ok(output) => {
                let status = output.policy_status.and_then(|status| status.is_public);
                Ok(status.unwrap_or(false))
            }
            Err(error) if error.code() == Some("NoSuchBucketPolicy") => Ok(false),
            Err(error) => Err(refused_or_failed("GetBucketPolicyStatus", error)),
        }
    }
}
