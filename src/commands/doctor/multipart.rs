//! `multipart`: do parts become an object, whole and proven?

use super::checksums::{BYTES, crc32, crc64nvme, sha256, told};
use super::patient::Patient;
use super::probing::not_written;
use super::verdict::Verdict;
use crate::domain::checksum::{Algorithm, Checksum};
use crate::objects::StoreError;
use crate::objects::multipart::{CompleteMultipart, Completion};
use crate::objects::probe::{Answer, Probe, ProbeError};
use crate::objects::sign::{Precondition, PutObject};

pub(super) async fn examine(patient: &Patient, probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let (key, id) = (probe.key("parts"), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let (part, first) = join(patient, probe, &object, None).await?;
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
    let mut lacks = Vec::new();
    for checksum in part_checksums() {
        lacks.extend(with_checksum(patient, probe, &checksum).await?);
    }
    lacks.extend(after_abort(probe).await?);
    if sum.is_none() {
        lacks.push("the store returns no CRC64NVME of the whole".to_owned());
    }
    if !lacks.is_empty() {
        return Ok(Verdict::warning(
            format!("parts become an object, but {}", lacks.join("; ")),
            "have clients declare those `part_checksums` that work, or use a store that has all of it",
        ));
    }
    Ok(Verdict::ok(
        "parts become an object, with CRC32, SHA256 and without, and with a CRC64NVME of the whole",
    ))
}

/// The checksums of the probe's part, of a kind that S3 makes one of the whole of, and of one of
/// which it does not.
fn part_checksums() -> Vec<Checksum> {
    let all = [
        (Algorithm::Crc32, crc32(BYTES)),
        (Algorithm::Sha256, sha256(BYTES)),
    ];
    let all = all.into_iter();
    all.filter_map(|(algorithm, value)| Checksum::new(algorithm, &value).ok())
        .collect()
}

/// What is wrong with parts that are sent with their checksums.
async fn with_checksum(
    patient: &Patient,
    probe: &Probe<'_>,
    checksum: &Checksum,
) -> Result<Option<String>, ProbeError> {
    let name = checksum.algorithm().as_str();
    let (key, id) = (probe.key(&format!("parts-{name}")), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let (part, completion) = match join(patient, probe, &object, Some(checksum)).await {
        Ok(joined) => joined,
        Err(ProbeError::Store(
            StoreError::UnsupportedAttribute { answer, .. } | StoreError::Refused { answer, .. },
        )) => return Ok(Some(format!("{name} of parts is refused ({answer})"))),
        Err(error) => return Err(error),
    };
    Ok(match completion {
        Some(Completion::Done { .. }) => None,
        None => Some(format!(
            "a part with its {name} is refused ({})",
            part.summary()
        )),
        Some(other) => Some(format!("parts with {name} do not become one: {other:?}")),
    })
}

/// What is wrong with the parts of an upload that was aborted.
async fn after_abort(probe: &Probe<'_>) -> Result<Option<String>, ProbeError> {
    let (key, id) = (probe.key("aborted"), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let upload_id = probe.start_and_abort_multipart(&object).await?;
    Ok(match probe.store.list_parts(&key, &upload_id, 0).await {
        Ok(None) => None,
        Ok(Some(_)) => Some("an aborted upload is still there".to_owned()),
        Err(error) => Some(format!(
            "listing the parts of an aborted upload fails: {error}"
        )),
    })
}

/// One part, put together; the completion is missing where the part, or the whole upload, is.
async fn join(
    patient: &Patient,
    probe: &Probe<'_>,
    object: &PutObject<'_>,
    checksum: Option<&Checksum>,
) -> Result<(Answer, Option<Completion>), ProbeError> {
    let (upload_id, answer) = probe.send_part(object, BYTES, checksum).await?;
    let parts = probe.store.all_parts(object.key, &upload_id).await?;
    let (true, Some(mut parts)) = (answer.is_success(), parts) else {
        return Ok((answer, None));
    };
    // Some stores do not list them, and want them repeated all the same.
    for part in &mut parts {
        part.checksum = part.checksum.take().or_else(|| checksum.cloned());
    }
    let complete = CompleteMultipart {
        key: object.key,
        upload_id: &upload_id,
        parts: &parts,
        part_checksums: checksum.map(Checksum::algorithm),
        checksum: None,
        precondition: Precondition::Absent,
        timeout: patient.settings.aws.total,
    };
    let completion = probe.store.complete_multipart(&complete).await?;
    Ok((answer, Some(completion)))
}
