//! Whether the parts agree with what was promised of the whole, as far as they can say.
//!
//! This is asked before S3 makes an object of the parts: what stands at the key is gone after that.
//! Which part has which checksum, and whether ETags are MD5s, depends on the store. What the parts
//! do not say is left to S3 at the completion, and to the HEAD after it.

use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::encryption::Encryption;
use crate::domain::mismatch::Mismatch;
use crate::domain::multipart_digest::{ListedPart, checksum_of, etag_of};
use crate::domain::object::same_etag;
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;

use super::expected::ValidExpected;

/// What came of the comparison.
pub(super) struct PartsComparison {
    /// What is not as it was promised.
    pub(super) mismatches: Vec<Mismatch>,
    /// The promised checksum of the whole, where only S3 can compare it.
    pub(super) unknown: Option<Checksum>,
}

/// Compares the checksum and the ETag that were promised with those that follow from the parts.
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
    if let Some(promised) = &valid.declared.checksum {
        let found = checksum_of(promised.algorithm(), facts(parts));
        match found.filter(|found| found.is_comparable(promised)) {
            Some(found) if found != *promised => comparison.mismatches.push(Mismatch {
                field: "checksum",
                expected: promised.to_string(),
                found: found.to_string(),
            }),
            Some(_) => {}
            None if is_known_to_s3(promised, multipart) => {
                comparison.unknown = Some(promised.clone());
            }
            None => {}
        }
    }
    if let Some(promised) = &valid.etag
        && has_md5s(upload)
        && let Some(found) = etag_of(facts(parts))
        && !same_etag(promised, &found)
    {
        comparison.mismatches.push(Mismatch {
            field: "etag",
            expected: promised.clone(),
            found,
        });
    }
    comparison
}

/// The checksums of the parts, which S3 held the bytes to, as one of the whole.
pub(super) fn checksum_of_parts(algorithm: Algorithm, parts: &[UploadedPart]) -> Option<Checksum> {
    checksum_of(algorithm, facts(parts))
}

fn facts(parts: &[UploadedPart]) -> impl Iterator<Item = ListedPart<'_>> {
    parts.iter().map(|part| ListedPart {
        size: part.size,
        etag: &part.etag,
        checksum: part.checksum.as_ref(),
    })
}

/// Whether S3 computes this checksum of the whole: CRCs of the algorithm that the upload was begun
/// with, CRC64NVME where it was begun with none.
fn is_known_to_s3(checksum: &Checksum, multipart: &Multipart) -> bool {
    let computed = multipart.part_checksums.unwrap_or(Algorithm::Crc64nvme);
    let is_crc = !matches!(computed, Algorithm::Sha256 | Algorithm::Sha1);
    is_crc && checksum.algorithm() == computed && !checksum.is_composite()
}

/// Under SSE-KMS an ETag is no MD5, although it may look like one.
fn has_md5s(upload: &Upload) -> bool {
    !matches!(upload.headers.encryption, Some(Encryption::Kms { .. }))
}
