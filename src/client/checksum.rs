//! Computes checksums in the formats of S3.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc, checksum_combine};
use sha2::{Digest as _, Sha256};

use super::api::wire::Checksum;

/// A checksum algorithm that this client can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-64/NVME.
    Crc64nvme,
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// SHA-256.
    Sha256,
}

/// A checksum computation over a stream of bytes.
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    state: State,
}

#[derive(Clone)]
enum State {
    Crc(Box<Crc>),
    Sha256(Box<Sha256>),
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 4] = [Self::Crc64nvme, Self::Crc32, Self::Crc32c, Self::Sha256];

    /// The name of the algorithm in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc64nvme => "CRC64NVME",
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Sha256 => "SHA256",
        }
    }

    /// The CRC variant and the width of its value in bytes; `None` for SHA-256.
    const fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc64nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Sha256 => None,
        }
    }

    /// The algorithm with this API name; `None` where this client cannot compute it.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Hasher {
    /// Starts a computation.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm.crc() {
            Some((kind, _)) => State::Crc(Box::new(Crc::new(kind))),
            None => State::Sha256(Box::default()),
        };
        Self { algorithm, state }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha256(sha) => sha.update(bytes),
        }
    }

    /// Returns the checksum of all bytes that were added.
    pub fn finish(self) -> Checksum {
        let raw = match self.state {
            State::Crc(crc) => return encode_crc(self.algorithm, crc.finalize()),
            State::Sha256(sha) => sha.finalize(),
        };
        Checksum {
            algorithm: self.algorithm.as_str().to_owned(),
            value: STANDARD.encode(raw),
        }
    }
}

/// Combines the checksums of consecutive pieces, each with its size in bytes, into the checksum of
/// the whole. Returns `None` for SHA-256, whose values cannot be combined, and if a piece has a
/// checksum of another algorithm.
pub fn combine<'a>(
    algorithm: Algorithm,
    pieces: impl IntoIterator<Item = (&'a Checksum, u64)>,
) -> Option<Checksum> {
    let (kind, _) = algorithm.crc()?;
    let mut combined = Crc::new(kind).finalize();
    for (checksum, size) in pieces {
        combined = checksum_combine(kind, combined, decode_crc(algorithm, checksum)?, size);
    }
    Some(encode_crc(algorithm, combined))
}

/// Encodes a CRC as S3 does: big-endian in its own width, then base64.
fn encode_crc(algorithm: Algorithm, value: u64) -> Checksum {
    let width = algorithm.crc().map_or(8, |(_, width)| width);
    let bytes = value.to_be_bytes();
    let kept = bytes.get(bytes.len().saturating_sub(width)..);
    Checksum {
        algorithm: algorithm.as_str().to_owned(),
        value: STANDARD.encode(kept.unwrap_or_default()),
    }
}

fn decode_crc(algorithm: Algorithm, checksum: &Checksum) -> Option<u64> {
    let (_, width) = algorithm.crc()?;
    let bytes = STANDARD.decode(&checksum.value).ok()?;
    let fits = checksum.algorithm == algorithm.as_str() && bytes.len() == width;
    fits.then(|| (bytes.iter()).fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue, and of "abc" in FIPS 180-4 for SHA-256.
    #[test]
    fn checksums_equal_published_check_values() {
        for (algorithm, text, value) in [
            (Algorithm::Crc64nvme, "123456789", "rosUhgp5mIg="),
            (Algorithm::Crc32, "123456789", "y/Q5Jg=="),
            (Algorithm::Crc32c, "123456789", "4waSgw=="),
            (
                Algorithm::Sha256,
                "abc",
                "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            ),
        ] {
            let mut hasher = Hasher::new(algorithm);
            for piece in text.as_bytes().chunks(2) {
                hasher.update(piece);
            }
            assert_eq!(hasher.finish().value, value, "{algorithm}");
        }
    }

    #[test]
    fn combined_checksums_equal_checksum_of_whole() {
        let text: &[u8] = b"123456789";
        let of = |algorithm, bytes: &[u8]| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(bytes);
            hasher.finish()
        };
        for algorithm in Algorithm::ALL {
            let pieces = [&text[..0], &text[..4], &text[4..]].map(|piece| {
                let size = u64::try_from(piece.len()).expect("a length");
                (of(algorithm, piece), size)
            });
            let combined = combine(algorithm, pieces.iter().map(|(sum, size)| (sum, *size)));
            let expected = algorithm.crc().map(|_| of(algorithm, text));
            assert_eq!(combined, expected, "{algorithm}");
        }
        let foreign = of(Algorithm::Crc32, text);
        assert_eq!(combine(Algorithm::Crc32c, [(&foreign, 9)]), None);
    }
}
