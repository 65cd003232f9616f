//! Encryption at rest.

use super::parse::flag;
use super::reader::{Reader, Section};
use super::variables::{BROKER_S3_SSE, BROKER_S3_SSE_BUCKET_KEY, BROKER_S3_SSE_KMS_KEY_ID};

/// The maximum length of a KMS key name (KMS API reference, "KeyId").
const MAX_KEY_ID: usize = 2048;

/// The encryption that every upload requests from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sse {
    /// None is requested, so that the default encryption of the bucket applies.
    None,
    /// SSE-S3.
    S3,
    /// SSE-KMS.
    Kms {
        /// The key; if `None`, the AWS managed key for S3.
        key_id: Option<String>,
        /// Whether to use an S3 Bucket Key; if `None`, the setting of the bucket applies.
        bucket_key: Option<bool>,
    },
}

impl Section for Sse {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let sse = reader.value(&BROKER_S3_SSE, |text| match text {
            "none" => Ok(Self::None),
            "AES256" => Ok(Self::S3),
            "aws:kms" => Ok(Self::Kms {
                key_id: None,
                bucket_key: None,
            }),
            _ => Err("must be none, AES256 or aws:kms".to_owned()),
        });
        let key = reader.optional(&BROKER_S3_SSE_KMS_KEY_ID, key_id);
        let bucket = reader.optional(&BROKER_S3_SSE_BUCKET_KEY, flag);
        let (sse, key_id, bucket_key) = (sse?, key?, bucket?);
        if let Self::Kms { .. } = sse {
            return Some(Self::Kms { key_id, bucket_key });
        }
        let set = [
            (&BROKER_S3_SSE_KMS_KEY_ID, key_id.is_some()),
            (&BROKER_S3_SSE_BUCKET_KEY, bucket_key.is_some()),
        ];
        for (variable, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
            let detail = format!("must not be set unless {} is aws:kms", BROKER_S3_SSE.name);
            reader.fault(variable, detail);
        }
        Some(sse)
    }
}

fn key_id(text: &str) -> Result<String, String> {
    let plain = text.len() <= MAX_KEY_ID && text.bytes().all(|byte| byte.is_ascii_graphic());
    let arn = text.strip_prefix("arn:");
    let is_key = arn.is_none_or(|rest| {
        rest.split(':').nth(1) == Some("kms")
            && (rest.contains(":key/") || rest.contains(":alias/"))
    });
    if plain && is_key {
        Ok(text.to_owned())
    } else {
        Err("must be a KMS key id, alias/NAME, or the ARN of a key or alias".to_owned())
    }
}
