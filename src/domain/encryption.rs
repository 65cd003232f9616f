//! Encryption at rest: what the store is asked for, and whether it did that.

use serde::{Deserialize, Serialize};

use super::mismatch::Mismatch;

/// What the store shall do with the bytes. Kept with the upload: settings may change while it is
/// under way, and what its URL asks for does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm")]
pub enum Encryption {
    /// SSE-S3: keys of the store.
    #[serde(rename = "AES256")]
    S3,
    /// SSE-KMS: a key of the key management service.
    #[serde(rename = "aws:kms")]
    Kms {
        /// A key id, an alias or the ARN of one; else the key that AWS manages for S3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Whether a bucket key stands between; else as the bucket says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bucket_key: Option<bool>,
    },
}

/// What the store says that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEncryption {
    /// `x-amz-server-side-encryption`.
    pub algorithm: String,
    /// `x-amz-server-side-encryption-aws-kms-key-id`: as a rule the ARN of the key.
    pub key_id: Option<String>,
}

impl Encryption {
    /// The name, as it stands in `x-amz-server-side-encryption`.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::S3 => "AES256",
            Self::Kms { .. } => "aws:kms",
        }
    }

    /// The key, where one is named.
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::S3 => None,
            Self::Kms { key_id, .. } => key_id.as_deref(),
        }
    }

    /// Whether a bucket key is asked for, or asked not to be.
    pub const fn bucket_key(&self) -> Option<bool> {
        match self {
            Self::S3 => None,
            Self::Kms { bucket_key, .. } => *bucket_key,
        }
    }

    /// What is not as it was asked for. A store that says nothing did not do it, as far as anyone
    /// can prove. Bucket keys save calls of KMS and protect nothing: they are not compared.
    pub fn mismatch(&self, found: Option<&FoundEncryption>) -> Option<Mismatch> {
        let same = found.is_some_and(|found| {
            found.algorithm == self.algorithm()
                && (self.key_id()).is_none_or(|key| is_key(key, found.key_id.as_deref()))
        });
        (!same).then(|| Mismatch {
            field: "encryption",
            expected: words(self.algorithm(), self.key_id()),
            found: match found {
                Some(found) => words(&found.algorithm, found.key_id.as_deref()),
                None => "none".to_owned(),
            },
        })
    }
}

/// Whether the key that was found is the one that was asked for. Which key an alias stands for
/// nobody but KMS knows.
fn is_key(asked: &str, found: Option<&str>) -> bool {
    let Some(found) = found else {
        return false;
    };
    let is_alias = asked.starts_with("alias/") || asked.contains(":alias/");
    let id = |name: &str| name.rsplit_once(":key/").map(|(_, id)| id.to_owned());
    is_alias || found == asked || id(found).is_some_and(|id| id == asked)
}

fn words(algorithm: &str, key: Option<&str>) -> String {
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
    fn only_what_was_asked_for_counts() {
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
    fn it_survives_in_a_row() {
        for asked in [Encryption::S3, kms(None), kms(Some("0a1b"))] {
            let json = serde_json::to_string(&asked).expect("JSON");
            assert!(json.contains(asked.algorithm()), "{json}");
            let read: Encryption = serde_json::from_str(&json).expect(&json);
            assert_eq!(read, asked);
        }
    }
}
