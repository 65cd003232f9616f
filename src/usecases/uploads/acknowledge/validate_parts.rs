//! Validates that the parts at the store make up the declared object.

use crate::domain::mismatch::Mismatch;
use crate::domain::part_plan::{MIN_PART_SIZE, PartPlan};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::objects::multipart::UploadedPart;
use crate::usecases::tenants::limits::too_large;

/// Returns the parts that make up the object; parts after its end are omitted. `size` is the
/// expected size in bytes.
pub(super) fn validate_parts(
    upload: &Upload,
    plan: PartPlan,
    size: Option<u64>,
    max_size: u64,
    mut parts: Vec<UploadedPart>,
) -> Result<Vec<UploadedPart>, Refusal> {
    let Some(size) = size else {
        return Err(Refusal::field(
            "/size",
            "is missing: no size was declared at create, so the acknowledge must name it",
        ));
    };
    parts.retain(|part| part.number <= plan.last());
    let mut missing = plan.missing(parts.iter().map(|part| part.number));
    if parts.is_empty() && missing.is_empty() {
        missing.push((1, 1));
    }
    if !missing.is_empty() {
        return Err(parts_missing(upload, missing));
    }
    // A size that was declared at create was compared with the limit then. For other uploads the
    // actual parts count, whatever size is expected.
    let sum: u64 = parts.iter().map(|part| part.size).sum();
    if plan.size().is_none() && sum > max_size {
        return Err(too_large(upload, sum, max_size));
    }
    let mismatches = mismatches(plan, size, sum, &parts);
    if !mismatches.is_empty() {
        return Err(mismatch(upload, mismatches));
    }
    Ok(parts)
}

fn mismatches(plan: PartPlan, size: u64, sum: u64, parts: &[UploadedPart]) -> Vec<Mismatch> {
    let mut all = Vec::new();
    let mut differ = |expected: String, found: String| {
        all.push(Mismatch {
            field: "size",
            expected,
            found,
        });
    };
    for part in parts {
        let is_last = parts.last().is_some_and(|last| last.number == part.number);
        let expected = match plan.part(part.number) {
            Some(planned) if planned.size == part.size => continue,
            Some(planned) => format!("{} bytes", planned.size),
            None if is_last || part.size >= MIN_PART_SIZE => continue,
            None => format!("at least {MIN_PART_SIZE} bytes, as all parts except the last"),
        };
        let number = part.number;
        differ(
            format!("part {number} of {expected}"),
            format!("part {number} of {} bytes", part.size),
        );
    }
    if sum != size && all.is_empty() {
        all.push(Mismatch {
            field: "size",
            expected: format!("{size} bytes"),
            found: format!("{sum} bytes in {} parts", parts.len()),
        });
    }
    // Of 10,000 wrong parts, a few are enough.
    all.truncate(10);
    all
}

fn parts_missing(upload: &Upload, missing: Vec<(u32, u32)>) -> Refusal {
    let count: u32 = missing.iter().map(|(from, to)| to - from + 1).sum();
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        missing: missing.into(),
        ..Refusal::new(
            Code::PartsMissing,
            format!("{count} parts have not arrived yet. Send them, then acknowledge again."),
        )
    }
}

fn mismatch(upload: &Upload, mismatches: Vec<Mismatch>) -> Refusal {
    let texts: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        mismatches,
        ..Refusal::new(
            Code::ObjectMismatch,
            format!(
                "{}. The parts were not completed: send them again, then acknowledge again.",
                texts.join("; ")
            ),
        )
    }
}
