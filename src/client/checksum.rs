//! Checksums as S3 computes and writes them, computed here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc, checksum_combine};
use sha2::{Digest as _, Sha256};

use super::api::wire::Checksum;

/// An algorithm that can be computed here.
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

/// A checksum in the making.
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
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Crc64nvme, Self::Crc32, Self::Crc32c, Self::Sha256];

    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc64nvme => "CRC64NVME",
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Sha256 => "SHA256",
        }
    }

    /// The CRC behind it, and its width in bytes.
    const fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc64nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Sha256 => None,
        }
    }

    /// The one of this name, where it can be computed here.
    pub fn named(name: &str) -> Option<Self> {
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
    /// Of no bytes yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm.crc() {
            Some((kind, _)) => State::Crc(Box::new(Crc::new(kind))),
            None => State::Sha256(Box::default()),
        };
        Self { algorithm, state }
    }

    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha256(sha) => sha.update(bytes),
        }
    }

    /// The checksum of all bytes so far.
    pub fn finish(self) -> Checksum {
        let raw = match self.state {
            State::Crc(crc) => return written(self.algorithm, crc.finalize()),
            State::Sha256(sha) => sha.finalize(),
        };
        Checksum {
            algorithm: self.algorithm.as_str().to_owned(),
            value: STANDARD.encode(raw),
        }
    }
}

/// The checksum of bytes that came in pieces, of those of the pieces: of each its checksum and how
/// many bytes it has, in order. `None` of an algorithm that has no such sum, and where a piece has
/// another one.
pub fn joined<'a>(
    algorithm: Algorithm,
    pieces: impl IntoIterator<Item = (&'a Checksum, u64)>,
) -> Option<Checksum> {
    let (kind, _) = algorithm.crc()?;
    let mut whole = Crc::new(kind).finalize();
    for (checksum, size) in pieces {
        whole = checksum_combine(kind, whole, read(algorithm, checksum)?, size);
    }
    Some(written(algorithm, whole))
}

/// A CRC as S3 writes it: big-endian, in as many bytes as it has.
fn written(algorithm: Algorithm, value: u64) -> Checksum {
    let width = algorithm.crc().map_or(8, |(_, width)| width);
    let bytes = value.to_be_bytes();
    let kept = bytes.get(bytes.len().saturating_sub(width)..);
    Checksum {
        algorithm: algorithm.as_str().to_owned(),
        value: STANDARD.encode(kept.unwrap_or_default()),
    }
}

fn read(algorithm: Algorithm, checksum: &Checksum) -> Option<u64> {
    let (_, width) = algorithm.crc()?;
    let bytes = STANDARD.decode(&checksum.value).ok()?;
    let fits = checksum.algorithm == algorithm.as_str() && bytes.len() == width;
    fits.then(|| (bytes.iter()).fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue, and of FIPS 180-4's "abc" for SHA-256.
    #[test]
    fn they_are_those_of_the_catalogue() {
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
    fn pieces_are_joined() {
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
            let joined = joined(algorithm, pieces.iter().map(|(sum, size)| (sum, *size)));
            let expected = algorithm.crc().map(|_| of(algorithm, text));
            assert_eq!(joined, expected, "{algorithm}");
        }
        let foreign = of(Algorithm::Crc32, text);
        assert_eq!(joined(Algorithm::Crc32c, [(&foreign, 9)]), None);
    }
}
