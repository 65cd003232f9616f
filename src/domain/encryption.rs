//! Encryption at rest: what the broker requests from the store, and whether the store applied it.

use serde::{Deserialize, Serialize};

use super::mismatch::Mismatch;

/// The encryption that is requested for an object.
///
/// It is stored with the upload: the settings may change while the upload is open, but its URL
/// keeps requesting the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm")]
pub enum Encryption {
    /// SSE-S3: the store manages the keys.
    #[serde(rename = "AES256")]
    S3,
    /// SSE-KMS: a key of the AWS Key Management Service.
    #[serde(rename = "aws:kms")]
    Kms {
        /// A key id, an alias, or the ARN of either. `None` for the key that AWS manages for S3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Whether to use an S3 Bucket Key. `None` for the default of the bucket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bucket_key: Option<bool>,
    },
}

/// The encryption that the store reports for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEncryption {
    /// `x-amz-server-side-encryption`.
    pub algorithm: String,
    /// `x-amz-server-side-encryption-aws-kms-key-id`: usually the ARN of the key.
    pub key_id: Option<String>,
}

impl Encryption {
    /// The value of `x-amz-server-side-encryption`.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::S3 => "AES256",
            Self::Kms { .. } => "aws:kms",
        }
    }

    /// The requested key, if one is named.
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::S3 => None,
            Self::Kms { key_id, .. } => key_id.as_deref(),
        }
    }

    /// Whether an S3 Bucket Key is requested (`true`) or ruled out (`false`).
    pub const fn bucket_key(&self) -> Option<bool> {
        match self {
            Self::S3 => None,
            Self::Kms { bucket_key, .. } => *bucket_key,
        }
    }

    /// Compares the request with what the store reports.
    ///
    /// A store that reports nothing counts as a mismatch, because nothing proves that it encrypted
    /// the object. Bucket keys only save calls to KMS and are not compared.
    pub fn mismatch(&self, found: Option<&FoundEncryption>) -> Option<Mismatch> {
        let same = found.is_some_and(|found| {
            found.algorithm == self.algorithm()
                && (self.key_id()).is_none_or(|key| is_key(key, found.key_id.as_deref()))
        });
        (!same).then(|| Mismatch {
            field: "encryption",
            expected: describe(self.algorithm(), self.key_id()),
            found: match found {
                Some(found) => describe(&found.algorithm, found.key_id.as_deref()),
                None => "none".to_owned(),
            },
        })
    }
}

/// Whether `found` is the requested key. Only KMS knows which key an alias refers to, so an alias
/// matches any key.
fn is_key(asked: &str, found: Option<&str>) -> bool {
    let Some(found) = found else {
        return false;
    };
    let is_alias = asked.starts_with("alias/") || asked.contains(":alias/");
    let id = |name: &str| name.rsplit_once(":key/").map(|(_, id)| id.to_owned());
    is_alias || found == asked || id(found).is_some_and(|id| id == asked)
}

fn describe(algorithm: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{algorithm} with the key {key}"),
        None => algorithm.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kms(key: Option<&str>) -> Encryption {
        Encryption::Kms {
            key_id: key.map(str::to_owned),
            bucket_key: Some(true),
        }
    }

    #[test]
    fn mismatch_compares_algorithm_and_requested_key() {
        const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";
        let found = |algorithm: &str, key: Option<&str>| {
            Some(FoundEncryption {
                algorithm: algorithm.into(),
                key_id: key.map(str::to_owned),
            })
        };
        for (asked, found, same) in [
            (Encryption::S3, found("AES256", None), true),
            (Encryption::S3, None, false),
            (Encryption::S3, found("aws:kms", Some(ARN)), false),
            (kms(None), found("aws:kms", Some(ARN)), true),
            (kms(None), found("AES256", None), false),
            (kms(Some("0a1b")), found("aws:kms", Some(ARN)), true),
            (kms(Some(ARN)), found("aws:kms", Some(ARN)), true),
            (kms(Some("1b")), found("aws:kms", Some(ARN)), false),
            (kms(Some("0a1b")), found("aws:kms", None), false),
            (kms(Some("alias/data")), found("aws:kms", Some(ARN)), true),
            (
                kms(Some("alias/data")),
                found("aws:kms:dsse", Some(ARN)),
                false,
            ),
        ] {
            let mismatch = asked.mismatch(found.as_ref());
            assert_eq!(mismatch.is_none(), same, "{asked:?} {found:?} {mismatch:?}");
        }
    }

    #[test]
    fn encryption_round_trips_through_json() {
        for asked in [Encryption::S3, kms(None), kms(Some("0a1b"))] {
            let json = serde_json::to_string(&asked).expect("JSON");
            assert!(json.contains(asked.algorithm()), "{json}");
            let read: Encryption = serde_json::from_str(&json).expect(&json);
            assert_eq!(read, asked);
        }
    }
}
