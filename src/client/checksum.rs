//! Checksums as S3 computes and writes them, computed here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc};
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
        let crc = |kind| State::Crc(Box::new(Crc::new(kind)));
        let state = match algorithm {
            Algorithm::Crc64nvme => crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Sha256 => State::Sha256(Box::default()),
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
            State::Crc(crc) => {
                let value = crc.finalize().to_be_bytes();
                // CRC-32 stands in the lower half.
                let skip = if self.algorithm == Algorithm::Crc64nvme {
                    0
                } else {
                    4
                };
                value.into_iter().skip(skip).collect()
            }
            State::Sha256(sha) => sha.finalize().to_vec(),
        };
        Checksum {
            algorithm: self.algorithm.as_str().to_owned(),
            value: STANDARD.encode::<Vec<u8>>(raw),
        }
    }
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
}
