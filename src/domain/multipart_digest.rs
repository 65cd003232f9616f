//! Checksum and ETag of an object, computed from its uploaded parts before the store assembles it.
//!
//! The CRC of the whole object can be computed from the CRCs and sizes of its parts. SHA-1 and
//! SHA-256 of an object uploaded in parts are composite: the digest of the digests of the parts.
//! The ETag of such an object is the MD5 of the MD5s of the parts, followed by `-` and their
//! number; the ETag of a part is its MD5 unless SSE-KMS or SSE-C encrypts it.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html> (`ETag`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::checksum::{Algorithm, Checksum};

/// A part of an object, as the store lists it.
#[derive(Clone, Copy, Debug)]
pub struct ListedPart<'a> {
    /// The size in bytes.
    pub size: u64,
    /// The ETag, with or without its quotes.
    pub etag: &'a str,
    /// The checksum of the bytes of this part.
    pub checksum: Option<&'a Checksum>,
}

/// Computes the checksum that S3 computes of an object with these parts: of all bytes for the CRCs,
/// composite for SHA-1 and SHA-256.
///
/// `parts` are all parts in order. Returns `None` if there is no part, or if a part has no checksum
/// of this algorithm.
pub fn checksum_of<'a>(
    algorithm: Algorithm,
    parts: impl Iterator<Item = ListedPart<'a>>,
) -> Option<Checksum> {
    match algorithm {
        Algorithm::Sha256 => composite::<Sha256>(algorithm, parts),
        Algorithm::Sha1 => composite::<Sha1>(algorithm, parts),
        Algorithm::Crc32 => combined(algorithm, CrcAlgorithm::Crc32IsoHdlc, parts),
        Algorithm::Crc32c => combined(algorithm, CrcAlgorithm::Crc32Iscsi, parts),
        Algorithm::Crc64nvme => combined(algorithm, CrcAlgorithm::Crc64Nvme, parts),
    }
}

/// Computes the ETag that S3 gives to an object with these parts, in quotes.
///
/// Returns `None` if there is no part, or if the ETag of a part is not an MD5 in hex.
pub fn etag_of<'a>(parts: impl Iterator<Item = ListedPart<'a>>) -> Option<String> {
    let (mut all, mut count) = (Md5::new(), 0_u32);
    for part in parts {
        all.update(md5_of(part.etag)?);
        count = count.checked_add(1)?;
    }
    let digest = hex::encode(all.finalize());
    (count > 0).then(|| format!("\"{digest}-{count}\""))
}

fn md5_of(etag: &str) -> Option<[u8; 16]> {
    let mut digest = [0; 16];
    hex::decode_to_slice(etag.trim_matches('"'), &mut digest).ok()?;
    Some(digest)
}

fn raw(part: ListedPart<'_>, algorithm: Algorithm) -> Option<Vec<u8>> {
    let checksum = part.checksum?;
    let is_of_bytes = checksum.algorithm() == algorithm && !checksum.is_composite();
    is_of_bytes.then(|| STANDARD.decode(checksum.value()).ok())?
}

fn composite<'a, D: Digest>(
    algorithm: Algorithm,
    parts: impl Iterator<Item = ListedPart<'a>>,
) -> Option<Checksum> {
    let (mut all, mut count) = (D::new(), 0_u32);
    for part in parts {
        all.update(raw(part, algorithm)?);
        count = count.checked_add(1)?;
    }
    let digest = STANDARD.encode(all.finalize());
    let whole = Checksum::new(algorithm, &digest).ok()?;
    (count > 0).then(|| whole.into_composite(count))
}

fn combined<'a>(
    algorithm: Algorithm,
    crc: CrcAlgorithm,
    parts: impl Iterator<Item = ListedPart<'a>>,
) -> Option<Checksum> {
    let mut whole = None;
    for part in parts {
        let own = (raw(part, algorithm)?.iter())
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        whole = Some(match whole {
            None => own,
            Some(before) => checksum_combine(crc, before, own, part.size),
        });
    }
    let bytes = whole?.to_be_bytes();
    let value = bytes.get(bytes.len().checked_sub(algorithm.length())?..)?;
    Checksum::new(algorithm, &STANDARD.encode(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"the quick brown fox jumps over the lazy dog";

    fn crc(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
        let (kind, length) = match algorithm {
            Algorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, 4),
            Algorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, 4),
            _ => (CrcAlgorithm::Crc64Nvme, 8),
        };
        let value = crc_fast::checksum(kind, bytes).to_be_bytes();
        Checksum::new(algorithm, &STANDARD.encode(&value[8 - length..])).unwrap()
    }

    #[test]
    fn crcs_of_parts_combine_to_crc_of_whole_object() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
            for cuts in [vec![0, 43], vec![0, 5, 43], vec![0, 1, 20, 20, 43]] {
                let parts: Vec<_> = (cuts.windows(2))
                    .map(|cut| &WHOLE[cut[0]..cut[1]])
                    .map(|bytes| (u64::try_from(bytes.len()).unwrap(), crc(algorithm, bytes)))
                    .collect();
                let facts = parts.iter().map(|(size, checksum)| ListedPart {
                    size: *size,
                    etag: "",
                    checksum: Some(checksum),
                });
                let found = checksum_of(algorithm, facts);
                assert_eq!(found, Some(crc(algorithm, WHOLE)), "{algorithm:?} {cuts:?}");
            }
        }
    }

    #[test]
    fn checksum_is_unknown_if_one_part_has_none() {
        let known = crc(Algorithm::Crc32, WHOLE);
        let part = |checksum| ListedPart {
            size: 43,
            etag: "",
            checksum,
        };
        let parts = [part(Some(&known)), part(None)];
        assert_eq!(checksum_of(Algorithm::Crc32, parts.into_iter()), None);
        let other = [part(Some(&known))];
        assert_eq!(checksum_of(Algorithm::Sha256, other.into_iter()), None);
        assert_eq!(checksum_of(Algorithm::Crc32, std::iter::empty()), None);
    }

    #[test]
    fn etag_is_md5_of_md5s_of_parts() {
        let part = |etag| ListedPart {
            size: 1,
            etag,
            checksum: None,
        };
        let (a, b) = (
            "\"0cc175b9c0f1b6a831c399e269772661\"",
            "92eb5ffee6ae2fec3ad71c777531578f",
        );
        let expected = format!("\"{}-2\"", {
            let mut all = Md5::new();
            all.update(Md5::digest(b"a"));
            all.update(Md5::digest(b"b"));
            hex::encode(all.finalize())
        });
        assert_eq!(etag_of([part(a), part(b)].into_iter()), Some(expected));
        for invalid in [
            "",
            "\"not-hex\"",
            "0cc175b9c0f1b6a831c399e269772661-1",
            "+cc175b9c0f1b6a831c399e269772661",
        ] {
            assert_eq!(
                etag_of([part(a), part(invalid)].into_iter()),
                None,
                "{invalid}"
            );
        }
        assert_eq!(etag_of(std::iter::empty()), None);
    }
}
