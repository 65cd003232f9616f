//! Compares the parts that a CompleteMultipartUpload names with the parts that exist.

use std::collections::BTreeMap;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::CompletedPart;
use s3s::{S3Error, S3Result, s3_error};

use super::super::fields::declared_checksums;
use super::checksum_method::ChecksumMethod;
use super::records::Part;

/// The smallest size of every part except the last (S3 user guide, "Amazon S3 multipart upload limits").
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// The parts of the object, in their order.
#[derive(Debug)]
pub(super) struct Plan {
    pub numbers: Vec<u16>,
    pub parts: Vec<Part>,
}

impl Plan {
    /// # Errors
    /// `MalformedXML` without parts; `InvalidPartOrder` if their numbers are not ascending;
    /// `InvalidPart` for a part that does not exist or has another ETag or checksum; `EntityTooSmall`;
    /// `InvalidRequest` if a part of a composite upload is named without its checksum.
    pub(super) fn of(
        wanted: &[CompletedPart],
        present: &BTreeMap<u16, Part>,
        method: ChecksumMethod,
    ) -> S3Result<Self> {
        let listed = wanted.iter().map(|part| part.part_number);
        let listed: Option<Vec<i32>> = listed.collect();
        let listed = listed.filter(|listed| !listed.is_empty());
        let listed = listed.ok_or_else(malformed)?;
        if !listed.is_sorted_by(|one, next| one < next) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        let mut plan = Self {
            numbers: Vec::with_capacity(listed.len()),
            parts: Vec::with_capacity(listed.len()),
        };
        for (number, wanted) in listed.into_iter().zip(wanted) {
            let number = u16::try_from(number).map_err(|_| invalid_part())?;
            let part = present.get(&number).ok_or_else(invalid_part)?;
            check_part(wanted, part, number, method)?;
            plan.numbers.push(number);
            plan.parts.push(part.clone());
        }
        plan.check_sizes()?;
        Ok(plan)
    }

    fn check_sizes(&self) -> S3Result<()> {
        let Some((_, all_but_last)) = self.parts.split_last() else {
            return Ok(());
        };
        if all_but_last.iter().any(|part| part.size < MIN_PART_BYTES) {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ));
        }
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        self.parts
            .iter()
            .fold(0, |size, part| size.saturating_add(part.size))
    }

    /// Returns the ETag of the object: the MD5 of the MD5s of the parts, and the number of parts.
    pub(super) fn etag(&self) -> String {
        let mut md5 = Md5::new();
        for part in &self.parts {
            md5.update(&part.md5);
        }
        format!("{}-{}", hex::encode(md5.finalize()), self.parts.len())
    }
}

fn check_part(
    wanted: &CompletedPart,
    part: &Part,
    number: u16,
    method: ChecksumMethod,
) -> S3Result<()> {
    let etag = wanted.e_tag.as_ref().ok_or_else(malformed)?;
    if etag.value() != part.e_tag().value() {
        return Err(invalid_part());
    }
    let mut given = false;
    for (algorithm, value) in declared_checksums!(wanted) {
        let Some(value) = value else { continue };
        given |= algorithm == method.algorithm;
        if algorithm != part.checksum.algorithm || *value != part.checksum.value {
            return Err(invalid_part());
        }
    }
    if method.composite && !given {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {number} in the request.",
            method.algorithm.name().to_ascii_lowercase()
        ));
    }
    Ok(())
}

fn malformed() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}

fn invalid_part() -> S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    )
}
