//! From a draft to signed URLs: a multipart upload is begun at S3 for that, and aborted again where
//! its row is not written.
//!
//! Signing asks no other service, so the URLs of a single PUT are made before the row. An upload in
//! parts is begun at S3 before its row is written, because its URLs name it. A crash in between
//! leaves parts that no row names; the janitor aborts them.

use chrono::TimeDelta;

use super::validate::Draft;
use crate::domain::checksum::Algorithm;
use crate::domain::upload::{Multipart, Upload};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::session::{Urls, as_object, id_buffer, tagging};

/// An upload as its row will be, and its URLs.
pub(super) struct Presigned {
    pub(super) upload: Upload,
    pub(super) urls: Urls,
}

impl Broker {
    /// Signs the URLs of a draft.
    pub(super) async fn presign(&self, draft: Draft) -> Result<Presigned> {
        let mut upload = draft.upload;
        if self.must_read_key(&upload, draft.cut.is_some()).await? {
            self.ensure_path_is_free(&upload).await?;
        }
        if let Some(cut) = draft.cut {
            upload.multipart = Some(Multipart {
                s3_upload_id: self.begin_multipart(&upload, cut.checksums).await?,
                part_size: cut.plan.part_size(),
                part_count: cut.plan.count(),
                part_checksums: cut.checksums,
            });
        }
        let lifetime = upload.lifetime_seconds;
        let urls = match self.sign(&upload, lifetime, draft.ends_at).await {
            Ok(urls) => urls,
            Err(error) => {
                // No row will name it.
                self.abort(&upload).await;
                return Err(error);
            }
        };
        // A session in parts outlives the store's credentials, because its URLs can be signed
        // again. The URL of a single PUT cannot, and credentials in their last second may end
        // before the row is created.
        upload.expires_at = match &urls {
            Urls::Parts(_) => upload.created_at + TimeDelta::seconds(lifetime.into()),
            Urls::Put(put) => put.session_ends_at.max(upload.created_at),
        };
        Ok(Presigned { upload, urls })
    }

    /// Begins a multipart upload at S3, and returns S3's id of it.
    pub(in crate::usecases) async fn begin_multipart(
        &self,
        upload: &Upload,
        checksums: Option<Algorithm>,
    ) -> Result<String> {
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let tagging = tagging(upload);
        let object = as_object(upload, id, tagging.as_deref());
        let bucket = self.bucket(&upload.bucket).await?;
        Ok(bucket.objects.create_multipart(&object, checksums).await?)
    }

    /// Aborts at S3 what was begun for a row that was not written. Where the row may have been
    /// written although `error` came back, the janitor finds out.
    pub(in crate::usecases) async fn roll_back(&self, upload: &Upload, error: &Error) {
        if !error.may_have_written() {
            self.abort(upload).await;
        }
    }

    /// Frees the parts of an upload that ended.
    pub(in crate::usecases) async fn abort(&self, upload: &Upload) {
        if let Some(multipart) = &upload.multipart {
            self.abort_parts(upload, multipart).await;
        }
    }

    /// Frees parts at the key of an upload. Where S3 fails at that, the janitor does it later.
    pub(in crate::usecases) async fn abort_parts(&self, upload: &Upload, multipart: &Multipart) {
        let aborted = self.abort_multipart_upload(upload, multipart).await;
        if let Err(cause) = aborted {
            log::warn!(
                "S3 keeps parts of upload {} until the janitor frees them: {cause}",
                upload.id
            );
        }
    }
}
