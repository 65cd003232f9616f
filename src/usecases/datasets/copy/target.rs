//! The target of a copy: its upload, and the check that the path is free.

use std::sync::Arc;

use chrono::TimeDelta;

use super::copy_to::CopyTo;
use super::source::Source;
use crate::domain::checksum::Algorithm;
use crate::domain::object::same_etag;
use crate::domain::part_plan::MIB;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::{Multipart, Upload, WriteRule};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::faults::Faults;
use crate::usecases::uploads::create::idempotency::{Reservation, Reserved, hide_earlier_upload};
use crate::usecases::uploads::create::validate::Draft;
use crate::usecases::uploads::create::{DerivedFrom, NewUpload};
use crate::usecases::uploads::find;
use crate::usecases::uploads::session::{as_object, id_buffer, tagging};

/// The size of a part of a large copy, in bytes: few requests, each of which takes about a minute
/// at most.
const PART_SIZE: u64 = 512 * MIB;

/// The row of a copy.
pub(super) enum Written {
    /// This request wrote the row.
    New(Box<Upload>),
    /// An earlier request with the same key wrote it.
    Earlier(Box<Upload>),
}

impl Broker {
    /// Creates the draft of the upload at the target. Changes nothing.
    pub(super) fn declare_copy(
        &self,
        principal: &Principal,
        from: &DatasetPath,
        source: &Source,
        request: CopyTo,
    ) -> Result<Draft, Refusal> {
        if DatasetPath::parse(&request.to).as_ref() == Ok(from) {
            let detail = "is the path of the dataset itself; expected another path";
            return Err(Refusal::field("/to", detail));
        }
        let new = self.new_upload(source, request);
        let draft = self.validate(principal, new, self.clock.now());
        draft.map_err(|refusal| refusal.with_pointer_renamed("/path", "/to"))
    }

    /// Returns the new upload with the values of the source: name, comments, metadata and headers.
    fn new_upload(&self, source: &Source, request: CopyTo) -> NewUpload {
        let object = &source.object;
        let size = object.size;
        let in_parts = size > self.rules.copy_threshold;
        // Only a checksum of the whole object is copied: the copy of an object with parts may have
        // another composite checksum.
        let checksum = object.checksums.iter().find(|one| !one.is_composite());
        let content_type = object.content_type.clone().filter(|content_type| {
            let mut faults = Faults::default();
            faults.content_type(content_type);
            faults.into_result().is_ok()
        });
        let mut headers = object.headers.clone();
        let upload = source.upload.as_ref();
        if let Some(upload) = upload {
            headers.tags.clone_from(&upload.headers.tags);
        }
        // A name that was derived from the path is derived from the new path.
        let own_name = upload.filter(|upload| upload.name != source.path.file_stem());
        NewUpload {
            path: request.to,
            name: own_name.map(|upload| upload.name.clone()),
            comments: upload.and_then(|upload| upload.comments.clone()),
            metadata: (upload.map(|upload| upload.metadata.clone())).unwrap_or_default(),
            content_type,
            size: Some(size),
            checksum: checksum.map(|checksum| {
                let algorithm = checksum.algorithm().as_str().to_owned();
                (algorithm, checksum.value().to_owned())
            }),
            overwrite: request.overwrite,
            if_match: request.if_match,
            headers,
            expires_in: None,
            multipart: Some(in_parts),
            part_size: in_parts.then(|| part_size(size, self.rules.copy_threshold)),
            part_checksums: None,
            uppy: None,
            // A moved dataset is still the result of its source; a copy is one of the caller's own.
            derived_from: upload
                .filter(|_| request.moves)
                .and_then(|upload| upload.derived_from)
                .map(DerivedFrom::Known),
        }
    }

    /// Refuses a target with an object that may not be replaced. The store checks this again during
    /// the copy; for a store without preconditions this is the only check.
    pub(super) async fn ensure_target_is_free(&self, upload: &Upload) -> Result<()> {
        if upload.write == WriteRule::Overwrite {
            return Ok(());
        }
        let found = self.head_object(upload).await?;
        let is_free = match (&upload.write, &found) {
            (WriteRule::Overwrite, _) | (WriteRule::CreateOnly, None) => true,
            (WriteRule::CreateOnly, Some(_)) | (WriteRule::Replace { .. }, None) => false,
            (WriteRule::Replace { etag }, Some(found)) => same_etag(etag, &found.etag),
        };
        if is_free {
            return Ok(());
        }
        let mut connection = self.connection().await?;
        let path = [upload.path.as_str()];
        let acknowledged =
            uploads::find_acknowledged(&mut connection, &upload.tenant, &path).await?;
        let upload_id = acknowledged.first().map(|upload| upload.id);
        Err(Refusal {
            upload_id,
            ..target_exists(upload)
        }
        .into())
    }

    /// Writes the row, unless an earlier request with the same key did. A copy in parts is started
    /// at the store first, because the row contains S3's upload id.
    pub(super) async fn write_copy(
        self: &Arc<Self>,
        draft: Draft,
        source: &Source,
        principal: &Principal,
        reservation: Option<Reservation>,
    ) -> Result<Written> {
        let mut upload = draft.upload;
        if let Some(cut) = draft.cut {
            let checksums = whole_checksums(&upload);
            upload.multipart = Some(Multipart {
                s3_upload_id: self.begin_copy(&upload, source, checksums).await?,
                part_size: cut.plan.part_size(),
                part_count: cut.plan.count(),
                part_checksums: checksums,
            });
        }
        let lifetime = TimeDelta::seconds(upload.lifetime_seconds.into());
        upload.expires_at = upload.created_at + lifetime;
        let (rows, allowances) = (
            vec![(0, upload.clone())],
            principal.bounds.token_allowances.clone(),
        );
        let written = self.insert_all(rows, reservation.as_ref(), allowances);
        let written = written.await.and_then(|mut written| {
            let lost = || Err(Error::Internal("a row has no result".into()));
            written.pop().unwrap_or_else(lost)
        });
        match written {
            Ok(Reserved::Written(upload)) => Ok(Written::New(upload)),
            Ok(Reserved::Earlier(id)) => {
                self.abort(&upload).await;
                let mut connection = self.connection().await?;
                let before = find::by_id(&mut connection, principal, id).await?;
                Ok(Written::Earlier(Box::new(before)))
            }
            Err(error) => {
                self.roll_back(&upload, &error).await;
                Err(hide_earlier_upload(principal, error))
            }
        }
    }

    async fn begin_copy(
        &self,
        upload: &Upload,
        source: &Source,
        checksums: Option<Algorithm>,
    ) -> Result<String> {
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let tagging = tagging(upload);
        let object = as_object(upload, id, tagging.as_deref());
        let bucket = self.bucket(&upload.bucket).await?;
        let metadata = source.metadata();
        let begun = bucket
            .objects
            .create_multipart_with(&object, &metadata, checksums);
        Ok(begun.await?)
    }
}

/// Returns the algorithm of the source's checksum, if the store has whole-object checksums of that
/// algorithm, so that the copy can be compared with the source.
fn whole_checksums(upload: &Upload) -> Option<Algorithm> {
    let algorithm = upload.declared.checksum.as_ref()?.algorithm();
    match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64nvme => Some(algorithm),
        Algorithm::Sha256 | Algorithm::Sha1 => None,
    }
}

/// Returns the part size: as many bytes as the store copies at once, and large enough for the
/// permitted number of parts.
fn part_size(size: u64, threshold: u64) -> u64 {
    const MAX_PARTS: u64 = 10_000;
    let least = size.div_ceil(MAX_PARTS).div_ceil(MIB) * MIB;
    PART_SIZE.min(threshold).max(least)
}

pub(super) fn target_exists(upload: &Upload) -> Refusal {
    let path = &upload.path;
    let detail = match &upload.write {
        WriteRule::Replace { .. } => {
            format!(
                "The version at {path} that if_match names no longer exists: nothing was replaced."
            )
        }
        _ => format!(
            "There is an object at {path}. Set overwrite to replace it, or if_match to replace exactly one version."
        ),
    };
    Refusal::new(Code::DatasetExists, detail)
}
