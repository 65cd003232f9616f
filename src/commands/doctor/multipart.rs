//! `multipart`: do parts become an object, whole, proven, and over nothing else?

use super::checksums::{BYTES, crc64nvme, told};
use super::patient::Patient;
use super::probing::not_written;
use super::verdict::Verdict;
use crate::domain::checksum::Algorithm;
use crate::objects::multipart::{CompleteMultipart, Completion};
use crate::objects::probe::{Answer, Probe, ProbeError};
use crate::objects::sign::{Precondition, PutObject};

pub(super) async fn examine(patient: &Patient, probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let (key, id) = (probe.key("parts"), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let (part, first) = join(patient, probe, &object).await?;
    if !part.is_success() {
        return Ok(not_written(&part));
    }
    let Some(Completion::Done { .. }) = first else {
        return Ok(Verdict::failed(
            format!("a part does not become an object: {first:?}"),
            "set BROKER_MULTIPART_THRESHOLD_BYTES so that no upload comes in parts, or use a store \
             that has multipart uploads",
        ));
    };
    let sum = told(probe, &key, Algorithm::Crc64nvme).await?;
    if sum.as_ref().is_some_and(|sum| *sum != crc64nvme(BYTES)) {
        return Ok(Verdict::failed(
            "the store tells a CRC64NVME of the whole object that is wrong",
            "use a store that computes CRC64NVME",
        ));
    }
    if patient.settings.s3.conditional_writes {
        let (_, second) = join(patient, probe, &object).await?;
        if second == first || matches!(second, Some(Completion::Done { .. })) {
            return Ok(Verdict::failed(
                "parts are put together over what stands at the key, against If-None-Match: *",
                "set BROKER_S3_CONDITIONAL_WRITES=off, or use a store that honours it there too",
            ));
        }
    }
    if sum.is_none() {
        return Ok(Verdict::warning(
            "parts become an object, but the store tells no CRC64NVME of the whole",
            "have clients declare `part_checksums`, or use a store that computes CRC64NVME",
        ));
    }
    Ok(Verdict::ok(
        "parts become an object, with a CRC64NVME of the whole, and over nothing else",
    ))
}

/// One part, put together; the completion is missing where the part, or the whole upload, is.
async fn join(
    patient: &Patient,
    probe: &Probe<'_>,
    object: &PutObject<'_>,
) -> Result<(Answer, Option<Completion>), ProbeError> {
    let (upload_id, answer) = probe.send_part(object, BYTES).await?;
    let parts = probe.store.all_parts(object.key, &upload_id).await?;
    let (true, Some(parts)) = (answer.is_success(), parts) else {
        return Ok((answer, None));
    };
    let complete = CompleteMultipart {
        key: object.key,
        upload_id: &upload_id,
        parts: &parts,
        part_checksums: None,
        checksum: None,
        precondition: Precondition::Absent,
        patience: patient.settings.aws.total,
    };
    let completion = probe.store.complete_multipart(&complete).await?;
    Ok((answer, Some(completion)))
}
