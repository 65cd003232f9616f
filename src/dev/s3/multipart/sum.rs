//! Which checksum the object of a multipart upload gets.
//!
//! S3 user guide, "Checking object integrity": CRC64NVME is always of the full object, SHA-1 and
//! SHA-256 are always composite (the digest of the parts' digests), CRC32 and CRC32C are what the
//! creation says, composite when it says nothing.

use s3s::dto::{ChecksumAlgorithm, ChecksumType};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::super::checksum::{Algorithm, Checksum};
use super::Part;

/// An algorithm and how it is applied; by default what S3 adds by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dev::s3) struct Sum {
    pub algorithm: Algorithm,
    pub composite: bool,
}

impl Sum {
    /// As named at the creation of an upload.
    ///
    /// # Errors
    /// 400 for an unknown algorithm, a type without an algorithm, or two that do not go together.
    pub(super) fn named(
        algorithm: Option<&ChecksumAlgorithm>,
        kind: Option<&ChecksumType>,
    ) -> S3Result<Option<Self>> {
        let Some(algorithm) = algorithm else {
            return match kind {
                None => Ok(None),
                Some(_) => Err(s3_error!(
                    InvalidRequest,
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
                )),
            };
        };
        let algorithm = Algorithm::named(algorithm.as_str()).ok_or_else(|| {
            s3_error!(
                InvalidRequest,
                "Checksum algorithm provided is unsupported."
            )
        })?;
        let composite = match kind.map(ChecksumType::as_str) {
            None => algorithm != Algorithm::Crc64nvme,
            Some(ChecksumType::COMPOSITE) => true,
            Some(ChecksumType::FULL_OBJECT) => false,
            Some(_) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "Value for x-amz-checksum-type header is invalid."
                ));
            }
        };
        match (algorithm, composite) {
            (Algorithm::Crc64nvme, true) | (Algorithm::Sha1 | Algorithm::Sha256, false) => {
                Err(mismatch(algorithm, composite))
            }
            _ => Ok(Some(Self {
                algorithm,
                composite,
            })),
        }
    }

    /// `x-amz-checksum-type`.
    pub(super) fn kind(self) -> ChecksumType {
        ChecksumType::from_static(match self.composite {
            true => ChecksumType::COMPOSITE,
            false => ChecksumType::FULL_OBJECT,
        })
    }

    pub(super) fn algorithm_name(self) -> ChecksumAlgorithm {
        ChecksumAlgorithm::from_static(self.algorithm.name())
    }

    /// The digest of the parts' digests, `value-N`.
    pub(super) fn of_parts(self, parts: &[Part]) -> Checksum {
        let mut hasher = self.algorithm.hasher();
        for part in parts {
            hasher.update(&part.checksum.digest().unwrap_or_default());
        }
        let digest = hasher.finish();
        Checksum {
            value: format!("{}-{}", digest.value, parts.len()),
            ..digest
        }
    }
}

fn mismatch(algorithm: Algorithm, composite: bool) -> S3Error {
    let kind = if composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    };
    let name = algorithm.name().to_ascii_lowercase();
    s3_error!(
        InvalidRequest,
        "The {kind} checksum type cannot be used with the {name} checksum algorithm."
    )
}
