//! JSON types that uploads and datasets share.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain;
use crate::domain::event::timestamp;
use crate::http::openapi::schemas;

/// A checksum of the whole object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// `SHA256`, `SHA1`, `CRC32`, `CRC32C` or `CRC64NVME`.
    #[schema(schema_with = schemas::algorithm)]
    pub algorithm: String,
    /// The checksum in Base64 with padding, as S3 returns it.
    #[schema(example = "fOkJSaHAYR1ZbwxYc8CDbfSYLhE3tdUQA3cdpo8yNhg=")]
    pub value: String,
}

impl From<&domain::checksum::Checksum> for Checksum {
    fn from(checksum: &domain::checksum::Checksum) -> Self {
        Self {
            algorithm: checksum.algorithm().as_str().to_owned(),
            value: checksum.value().to_owned(),
        }
    }
}

impl Checksum {
    /// Converts into the name of the algorithm and the value, as the use cases expect them.
    pub fn into_pair(self) -> (String, String) {
        (self.algorithm, self.value)
    }
}

/// How an upload was verified.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verification {
    /// `checksum`: the store returned the declared checksum. `size`: the object has the declared
    /// size. `existence`: an object that was written with the URL of this upload exists.
    #[schema(schema_with = schemas::level)]
    pub level: &'static str,
    /// What triggered the verification.
    #[schema(schema_with = schemas::verifier)]
    pub by: &'static str,
    /// When it was verified.
    #[schema(value_type = String, format = DateTime, example = "2025-03-01T10:00:07.123Z")]
    pub at: Time,
}

impl From<domain::upload::Verification> for Verification {
    fn from(verification: domain::upload::Verification) -> Self {
        Self {
            level: verification.level.as_str(),
            by: verification.by.as_str(),
            at: verification.at.into(),
        }
    }
}

/// The upload of a dataset.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadRef {
    /// The id of the upload.
    pub id: Uuid,
    /// The status of the upload.
    #[schema(schema_with = schemas::status)]
    pub status: &'static str,
    /// How it was verified.
    #[schema(required = true)]
    pub verification: Option<Verification>,
}

impl From<&domain::upload::Upload> for UploadRef {
    fn from(upload: &domain::upload::Upload) -> Self {
        Self {
            id: upload.id,
            status: upload.status.as_str(),
            verification: upload.verification.map(Into::into),
        }
    }
}

/// A time that is serialized as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time(DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&timestamp(self.0))
    }
}

/// Deserializes a number of bytes: a non-negative integer that fits into a Postgres `bigint`.
pub fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let size = Option::<u64>::deserialize(deserializer)?;
    match size {
        Some(size) if i64::try_from(size).is_err() => Err(serde::de::Error::custom(format!(
            "expected at most {} bytes",
            i64::MAX
        ))),
        size => Ok(size),
    }
}
