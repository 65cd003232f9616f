//! How the checksum of the object of a multipart upload is computed.
//!
//! S3 user guide, "Checking object integrity": a CRC64NVME is always of the full object, a SHA-1 or a
//! SHA-256 is always composite (the digest of the digests of the parts). A CRC32 or CRC32C has the type
//! that was named when the upload was created, and is composite by default.

use s3s::dto::{ChecksumAlgorithm, ChecksumType};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::super::checksum::{Algorithm, Checksum};

/// An algorithm, and whether it is applied to the parts. The default is the checksum that S3 adds when
/// the client names none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dev::s3) struct ChecksumMethod {
    pub algorithm: Algorithm,
    pub composite: bool,
}

impl ChecksumMethod {
    /// Reads the method from the headers that create an upload.
    ///
    /// # Errors
    /// 400 for an unknown algorithm, a type without an algorithm, or an unsupported combination.
    pub(super) fn from_headers(
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

    /// Returns the value of `x-amz-checksum-type`.
    pub(super) fn kind(self) -> ChecksumType {
        ChecksumType::from_static(match self.composite {
            true => ChecksumType::COMPOSITE,
            false => ChecksumType::FULL_OBJECT,
        })
    }

    pub(super) fn algorithm_name(self) -> ChecksumAlgorithm {
        ChecksumAlgorithm::from_static(self.algorithm.name())
    }

    /// Returns the digest of the digests of the parts, `value-N`.
    pub(super) fn composite_of<'a>(
        self,
        parts: impl ExactSizeIterator<Item = &'a Checksum>,
    ) -> Checksum {
        let count = parts.len();
        let mut hasher = self.algorithm.hasher();
        for part in parts {
            hasher.update(&part.digest().unwrap_or_default());
        }
        let digest = hasher.finish();
        Checksum {
            value: format!("{}-{count}", digest.value),
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
