//! The checksum algorithms of objects and parts, and hashing.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::ChecksumType;
use serde::{Deserialize, Serialize};

use super::bodies::CHUNK;

/// The algorithms of `x-amz-checksum-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// Returns the name that `x-amz-sdk-checksum-algorithm` uses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Returns the algorithm with this name, in upper or lower case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Returns the number of bytes of a digest.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(super) fn hasher(self) -> Hasher {
        match self {
            Self::Crc32 => Hasher::Crc32(Crc32::new()),
            Self::Crc32c => Hasher::Crc32c(Crc32c::new()),
            Self::Crc64nvme => Hasher::Crc64nvme(Crc64Nvme::new()),
            Self::Sha1 => Hasher::Sha1(Sha1::new()),
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
        }
    }
}

impl Default for Algorithm {
    /// Returns the algorithm that S3 uses if the client names none.
    fn default() -> Self {
        Self::Crc64nvme
    }
}

/// The values of the `checksum_*` fields of an input, see `fields`.
pub(super) type ChecksumFields<'a> = [(Algorithm, Option<&'a String>); 5];

/// A digest in base64 and its algorithm. A composite checksum has the form `digest-N`: it is the digest of
/// the digests of N parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub algorithm: Algorithm,
    pub value: String,
}

impl Checksum {
    /// Returns whether the checksum is composite. Base64 contains no dash.
    pub(super) fn is_composite(&self) -> bool {
        self.value.contains('-')
    }

    /// Returns the value of `x-amz-checksum-type`.
    pub(super) fn kind(&self) -> ChecksumType {
        ChecksumType::from_static(match self.is_composite() {
            true => ChecksumType::COMPOSITE,
            false => ChecksumType::FULL_OBJECT,
        })
    }

    /// Returns the bytes of the digest; `None` for a composite checksum.
    pub(super) fn digest(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.value).ok()
    }
}

/// Computes a digest incrementally.
pub(super) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Checksum {
        let (algorithm, value) = match self {
            Self::Crc32(hasher) => (Algorithm::Crc32, STANDARD.encode(hasher.finalize())),
            Self::Crc32c(hasher) => (Algorithm::Crc32c, STANDARD.encode(hasher.finalize())),
            Self::Crc64nvme(hasher) => (Algorithm::Crc64nvme, STANDARD.encode(hasher.finalize())),
            Self::Sha1(hasher) => (Algorithm::Sha1, STANDARD.encode(hasher.finalize())),
            Self::Sha256(hasher) => (Algorithm::Sha256, STANDARD.encode(hasher.finalize())),
        };
        Checksum { algorithm, value }
    }
}

/// Returns the checksum of a whole file.
pub(super) fn of_file(file: &mut File, algorithm: Algorithm) -> io::Result<Checksum> {
    let mut hasher = algorithm.hasher();
    read_all(file, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

/// Returns the MD5 of a whole file.
pub(super) fn md5_of_file(file: &mut File) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    read_all(file, |bytes| md5.update(bytes))?;
    Ok(md5.finalize())
}

fn read_all(file: &mut File, mut process: impl FnMut(&[u8])) -> io::Result<()> {
    file.rewind()?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            None | Some([]) => return Ok(()),
            Some(bytes) => process(bytes),
        }
    }
}
