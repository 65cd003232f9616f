//! Whether the whole world can see the bucket.

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use super::unsaid;
use crate::objects::store::{ObjectStore, StoreError};

/// The four switches of "Block public access", as the bucket itself has them. The account may have
/// them too, which the bucket does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// New public ACLs are refused.
    pub block_acls: bool,
    /// Public ACLs do not count.
    pub ignore_acls: bool,
    /// New public policies are refused.
    pub block_policy: bool,
    /// A public policy lets only the account's own in.
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// The switches that are off, by S3's names.
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
    /// The switches; all are off where the bucket has none.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the store will not say.
    pub async fn public_access_block(&self) -> Result<PublicAccessBlock, StoreError> {
        let call = self.client.get_public_access_block().bucket(self.bucket());
        let output = match self.timed("GetPublicAccessBlock", call.send()).await {
            Ok(output) => output,
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => {
                return Ok(PublicAccessBlock::default());
            }
            Err(error) => return Err(unsaid("GetPublicAccessBlock", error)),
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

    /// Whether the bucket's policy lets everybody in.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the store will not say.
    pub async fn has_public_policy(&self) -> Result<bool, StoreError> {
        let call = self.client.get_bucket_policy_status().bucket(self.bucket());
        match self.timed("GetBucketPolicyStatus", call.send()).await {
            Ok(output) => {
                let status = output.policy_status.and_then(|status| status.is_public);
                Ok(status.unwrap_or(false))
            }
            Err(error) if error.code() == Some("NoSuchBucketPolicy") => Ok(false),
            Err(error) => Err(unsaid("GetBucketPolicyStatus", error)),
        }
    }
}
