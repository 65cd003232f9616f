//! Checksums, as S3 names and writes them.
//!
//! Most are of the whole object. An object of parts may have a composite one instead: the checksum
//! of its parts' checksums, written with their number, as `value-3`.
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
    /// CRC-64/NVME, which S3 computes by itself where nothing is declared.
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

    /// The name, as it stands in JSON, in Postgres and in S3's documents.
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

/// A checksum: the algorithm and the value in base64, of a composite one with `-` and the number
/// of parts.
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
    /// What follows the value is no number of parts.
    InvalidPartCount,
    /// Base64 of another number of bytes than the algorithm has.
    WrongLength {
        /// The number of bytes that the algorithm has.
        expected: usize,
        /// The number of bytes that came.
        found: usize,
    },
}

impl fmt::Display for InvalidChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("not base64 with padding (RFC 4648, section 4)"),
            Self::InvalidPartCount => {
                f.write_str("expected a number of parts behind the value: value-3")
            }
            Self::WrongLength { expected, found } => {
                write!(f, "{found} bytes after base64, expected {expected}")
            }
        }
    }
}

impl Checksum {
    /// Takes a value in canonical base64, so that equal checksums are equal strings.
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

    /// Takes a value of the whole object, or a composite one.
    pub fn parse(algorithm: Algorithm, value: &str) -> Result<Self, InvalidChecksum> {
        let Some((value, parts)) = value.split_once(COMPOSITE) else {
            return Self::new(algorithm, value);
        };
        let parts = parts
            .parse()
            .map_err(|_| InvalidChecksum::InvalidPartCount)?;
        Ok(Self::new(algorithm, value)?.into_composite(parts))
    }

    /// The same value as a composite one of so many parts.
    #[must_use]
    pub fn into_composite(mut self, parts: u32) -> Self {
        self.value.push_str(&format!("{COMPOSITE}{parts}"));
        self
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it is the checksum of the parts' checksums.
    pub fn is_composite(&self) -> bool {
        self.value.contains(COMPOSITE)
    }

    /// Whether the other one is of the same kind: equal bytes make them equal.
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.is_composite() == other.is_composite()
    }

    /// The value in base64.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// No digit of base64 (RFC 4648, section 4).
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
    fn a_composite_one_is_another_kind() {
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
    fn a_value_must_have_the_length_of_its_algorithm() {
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
