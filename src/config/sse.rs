//! Encryption at rest.

use super::parse::flag;
use super::reader::{Reader, Section};
use super::variables::{BROKER_S3_SSE, BROKER_S3_SSE_BUCKET_KEY, BROKER_S3_SSE_KMS_KEY_ID};

/// The longest name of a KMS key (KMS API reference, "KeyId").
const MAX_KEY_ID: usize = 2048;

/// What the store is asked to do with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sse {
    /// Whatever the bucket says.
    None,
    /// SSE-S3.
    S3,
    /// SSE-KMS.
    Kms {
        /// The key; else the one that AWS manages for S3.
        key_id: Option<String>,
        /// Whether a bucket key is used; else as the bucket says.
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
        Err("must be a KMS key id, alias/NAME, or the ARN of one".to_owned())
    }
}
