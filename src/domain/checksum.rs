//! Checksums, with the names and the text format of S3.
//!
//! Most checksums cover the whole object. An object uploaded in parts may have a composite checksum
//! instead: the checksum of the checksums of its parts, followed by the number of parts, as in
//! `value-3`.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A checksum algorithm that S3 verifies on upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME, which S3 computes on its own if no checksum is declared.
    Crc64nvme,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::Sha256,
        Self::Sha1,
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
    ];

    /// The name in JSON, in Postgres and in the documents of S3.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha1 => "SHA1",
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
        }
    }

    /// The request header that carries the value.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
        }
    }

    /// The length of the raw value in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha1 => 20,
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
        }
    }
}

/// An algorithm name that S3 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(UnknownAlgorithm)
    }
}

/// An algorithm and a value in base64. The value of a composite checksum ends with `-` and the
/// number of parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checksum {
    algorithm: Algorithm,
    value: String,
}

/// Why a checksum value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidChecksum {
    /// Not base64 with padding.
    NotBase64,
    /// The text after the `-` is not a number of parts.
    InvalidPartCount,
    /// The decoded value does not have the length of the algorithm.
    WrongLength {
        /// The length of the algorithm in bytes.
        expected: usize,
        /// The length of the decoded value in bytes.
        found: usize,
    },
}

impl fmt::Display for InvalidChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("not base64 with padding (RFC 4648, section 4)"),
            Self::InvalidPartCount => {
                f.write_str("expected a number of parts after the value, such as value-3")
            }
            Self::WrongLength { expected, found } => {
                write!(f, "decodes to {found} bytes, expected {expected}")
            }
        }
    }
}

impl Checksum {
    /// Parses the checksum of a whole object.
    ///
    /// The value is stored in canonical base64, so that equal checksums are equal strings.
    ///
    /// # Errors
    /// The value is not base64, or does not have the length of the algorithm.
    pub fn new(algorithm: Algorithm, value: &str) -> Result<Self, InvalidChecksum> {
        let raw = STANDARD
            .decode(value)
            .map_err(|_| InvalidChecksum::NotBase64)?;
        if raw.len() != algorithm.length() {
            return Err(InvalidChecksum::WrongLength {
                expected: algorithm.length(),
                found: raw.len(),
            });
        }
        Ok(Self {
            algorithm,
            value: STANDARD.encode(raw),
        })
    }

    /// Parses the checksum of a whole object or a composite checksum.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or the number of parts is invalid.
    pub fn parse(algorithm: Algorithm, value: &str) -> Result<Self, InvalidChecksum> {
        let Some((value, parts)) = value.split_once(COMPOSITE) else {
            return Self::new(algorithm, value);
        };
        let parts = parts
            .parse()
            .map_err(|_| InvalidChecksum::InvalidPartCount)?;
        Ok(Self::new(algorithm, value)?.into_composite(parts))
    }

    /// The same value as a composite checksum of `parts` parts.
    #[must_use]
    pub fn into_composite(mut self, parts: u32) -> Self {
        self.value.push_str(&format!("{COMPOSITE}{parts}"));
        self
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it is a checksum of the checksums of parts.
    pub fn is_composite(&self) -> bool {
        self.value.contains(COMPOSITE)
    }

    /// Whether equal bytes imply equal checksums: both have the same algorithm, and both or neither
    /// are composite.
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.is_composite() == other.is_composite()
    }

    /// The value in base64.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// Separates the value from the number of parts. It is not a base64 digit (RFC 4648, section 4).
const COMPOSITE: char = '-';

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm.as_str(), self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_checksum_is_not_comparable_with_whole_object_checksum() {
        let parse = |value| Checksum::parse(Algorithm::Crc32, value);
        let (whole, composite) = (parse("AAAAAA==").unwrap(), parse("AAAAAA==-3").unwrap());
        assert_eq!(composite.value(), "AAAAAA==-3");
        assert!(composite.is_composite() && !whole.is_composite());
        assert!(!whole.is_comparable(&composite));
        assert_eq!(parse("AAAAAA==-x"), Err(InvalidChecksum::InvalidPartCount));
        assert_eq!(
            Checksum::new(Algorithm::Crc32, "AAAAAA==-3"),
            Err(InvalidChecksum::NotBase64)
        );
    }

    #[test]
    fn new_rejects_value_with_wrong_length_or_encoding() {
        assert!(Checksum::new(Algorithm::Crc32, "AAAAAA==").is_ok());
        assert_eq!(
            Checksum::new(Algorithm::Sha256, "AAAAAA=="),
            Err(InvalidChecksum::WrongLength {
                expected: 32,
                found: 4
            })
        );
        assert_eq!(
            Checksum::new(Algorithm::Crc32, "AAAAAA"),
            Err(InvalidChecksum::NotBase64)
        );
    }
}
