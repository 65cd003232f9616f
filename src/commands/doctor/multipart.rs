//! `multipart`: can multipart uploads be completed and proven?

use super::checksums::{BYTES, crc32, crc64nvme, returned_checksum, sha256};
use super::context::CheckContext;
use super::verdict::Verdict;
use super::with_probe::put_rejected;
use crate::domain::checksum::{Algorithm, Checksum};
use crate::objects::StoreError;
use crate::objects::multipart::{CompleteMultipart, Completion};
use crate::objects::probe::{Answer, Probe, ProbeError};
use crate::objects::sign::{Precondition, PutObject};

pub(super) async fn check_multipart(
    context: &CheckContext,
    probe: &Probe<'_>,
) -> Result<Verdict, ProbeError> {
    let (key, id) = (probe.key("parts"), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let (part, first) = join(context, probe, &object, None).await?;
    if !part.is_success() {
        return Ok(put_rejected(&part));
    }
    let Some(Completion::Done { .. }) = first else {
        return Ok(Verdict::failed(
            format!("a multipart upload cannot be completed: {first:?}"),
            "set BROKER_MULTIPART_THRESHOLD_BYTES so high that there are no multipart uploads, or use a store \
             that supports them",
        ));
    };
    let sum = returned_checksum(probe, &key, Algorithm::Crc64nvme).await?;
    if sum.as_ref().is_some_and(|sum| *sum != crc64nvme(BYTES)) {
        return Ok(Verdict::failed(
            "the store returns a wrong CRC64NVME for the whole object",
            "use a store that computes CRC64NVME",
        ));
    }
    let mut lacks = Vec::new();
    for checksum in part_checksums() {
        lacks.extend(with_checksum(context, probe, &checksum).await?);
    }
    lacks.extend(after_abort(probe).await?);
    if sum.is_none() {
        lacks.push("the store returns no CRC64NVME for the whole object".to_owned());
    }
    if !lacks.is_empty() {
        return Ok(Verdict::warning(
            format!("multipart uploads work, but {}", lacks.join("; ")),
            "let clients declare only the `part_checksums` that work, or use a store that supports all of them",
        ));
    }
    Ok(Verdict::ok(
        "multipart uploads work with CRC32, with SHA256 and without part checksums, and have a CRC64NVME for the whole object",
    ))
}

/// The checksums of the test part: one that S3 can combine to a checksum of the whole object, and
/// one that it cannot.
fn part_checksums() -> Vec<Checksum> {
    let all = [
        (Algorithm::Crc32, crc32(BYTES)),
        (Algorithm::Sha256, sha256(BYTES)),
    ];
    let all = all.into_iter();
    all.filter_map(|(algorithm, value)| Checksum::new(algorithm, &value).ok())
        .collect()
}

/// Tests a part that is sent with its checksum. Returns what is wrong.
async fn with_checksum(
    context: &CheckContext,
    probe: &Probe<'_>,
    checksum: &Checksum,
) -> Result<Option<String>, ProbeError> {
    let name = checksum.algorithm().as_str();
    let (key, id) = (probe.key(&format!("parts-{name}")), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let (part, completion) = match join(context, probe, &object, Some(checksum)).await {
        Ok(joined) => joined,
        Err(ProbeError::Store(
            StoreError::UnsupportedAttribute { answer, .. } | StoreError::Refused { answer, .. },
        )) => {
            return Ok(Some(format!(
                "{name} checksums of parts are rejected ({answer})"
            )));
        }
        Err(error) => return Err(error),
    };
    Ok(match completion {
        Some(Completion::Done { .. }) => None,
        None => Some(format!(
            "a part with its {name} is rejected ({})",
            part.summary()
        )),
        Some(other) => Some(format!("parts with {name} cannot be completed: {other:?}")),
    })
}

/// Tests the part listing of an aborted upload. Returns what is wrong.
async fn after_abort(probe: &Probe<'_>) -> Result<Option<String>, ProbeError> {
    let (key, id) = (probe.key("aborted"), probe.id());
    let object = PutObject::new(&key, "text/plain", &id);
    let upload_id = probe.start_and_abort_multipart(&object).await?;
    Ok(match probe.store.list_parts(&key, &upload_id, 0).await {
        Ok(None) => None,
        Ok(Some(_)) => Some("an aborted upload still exists".to_owned()),
        Err(error) => Some(format!(
            "listing the parts of an aborted upload fails: {error}"
        )),
    })
}

/// Uploads one part and completes the upload. There is no completion if the store rejects the part
/// or loses the upload.
async fn join(
    context: &CheckContext,
    probe: &Probe<'_>,
    object: &PutObject<'_>,
    checksum: Option<&Checksum>,
) -> Result<(Answer, Option<Completion>), ProbeError> {
    let (upload_id, answer) = probe.send_part(object, BYTES, checksum).await?;
    let parts = probe.store.all_parts(object.key, &upload_id).await?;
    let (true, Some(mut parts)) = (answer.is_success(), parts) else {
        return Ok((answer, None));
    };
    // Some stores do not list the checksums of parts, but require them in the completion.
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
        timeout: context.settings.aws.total,
    };
    let completion = probe.store.complete_multipart(&complete).await?;
    Ok((answer, Some(completion)))
}
