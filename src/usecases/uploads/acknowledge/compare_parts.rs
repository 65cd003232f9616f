//! Compares the checksum and the ETag that follow from the parts with the expected ones, as far as
//! the parts reveal them.
//!
//! This happens before S3 completes the parts, because the completion replaces the object at the
//! key. Which parts have which checksum, and whether ETags are MD5 digests, depends on the store.
//! What the parts do not reveal is compared by S3 at the completion, and by the HEAD after it.

use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::encryption::Encryption;
use crate::domain::mismatch::Mismatch;
use crate::domain::multipart_digest::{ListedPart, checksum_of, etag_of};
use crate::domain::object::same_etag;
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;

use super::expected::ValidExpected;

/// The result of the comparison.
pub(super) struct PartsComparison {
    /// The values that differ from the expected ones.
    pub(super) mismatches: Vec<Mismatch>,
    /// The expected checksum of the object, if only S3 can compare it.
    pub(super) unknown: Option<Checksum>,
}

/// Compares the expected checksum and ETag with those that follow from the parts.
pub(super) fn compare(
    upload: &Upload,
    multipart: &Multipart,
    valid: &ValidExpected,
    parts: &[UploadedPart],
) -> PartsComparison {
    let mut comparison = PartsComparison {
        mismatches: Vec::new(),
        unknown: None,
    };
    if let Some(expected) = &valid.declared.checksum {
        let found = checksum_of(expected.algorithm(), listed(parts));
        match found.filter(|found| found.is_comparable(expected)) {
            Some(found) if found != *expected => comparison.mismatches.push(Mismatch {
                field: "checksum",
                expected: expected.to_string(),
                found: found.to_string(),
            }),
            Some(_) => {}
            None if is_known_to_s3(expected, multipart) => {
                comparison.unknown = Some(expected.clone());
            }
            None => {}
        }
    }
    if let Some(expected) = &valid.etag
        && has_md5s(upload)
        && let Some(found) = etag_of(listed(parts))
        && !same_etag(expected, &found)
    {
        comparison.mismatches.push(Mismatch {
            field: "etag",
            expected: expected.clone(),
            found,
        });
    }
    comparison
}

/// Computes the checksum of the object from the checksums of its parts, which S3 has verified.
pub(super) fn checksum_of_parts(algorithm: Algorithm, parts: &[UploadedPart]) -> Option<Checksum> {
    checksum_of(algorithm, listed(parts))
}

fn listed(parts: &[UploadedPart]) -> impl Iterator<Item = ListedPart<'_>> {
    parts.iter().map(|part| ListedPart {
        size: part.size,
        etag: &part.etag,
        checksum: part.checksum.as_ref(),
    })
}

/// Whether S3 computes this checksum of the complete object: CRCs with the algorithm of the
/// multipart upload, or CRC64NVME if it was created without one.
fn is_known_to_s3(checksum: &Checksum, multipart: &Multipart) -> bool {
    let computed = multipart.part_checksums.unwrap_or(Algorithm::Crc64nvme);
    let is_crc = !matches!(computed, Algorithm::Sha256 | Algorithm::Sha1);
    is_crc && checksum.algorithm() == computed && !checksum.is_composite()
}

/// With SSE-KMS an ETag is no MD5 digest, although it may look like one.
fn has_md5s(upload: &Upload) -> bool {
    !matches!(upload.headers.encryption, Some(Encryption::Kms { .. }))
}
