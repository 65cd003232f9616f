//! Create: a promise and the URL to keep it with.
//!
//! Signing asks nobody, so the URL is made first and the row in one statement after it. An upload
//! in parts is begun at S3 before that, since its URLs name it, and only where the row would be
//! written ([`rehearse`]): a crash in between leaves parts that no row knows, which the janitor
//! aborts. An answer that gets lost leaves at most a Pending
//! row without a client, which the janitor lets expire.
//!
//! [`rehearse`]: crate::usecases::uploads::create::rehearse

pub mod allowance;
pub mod batch;
pub(in crate::usecases) mod batch_once;
pub(in crate::usecases) mod insert;
pub mod once;
pub(in crate::usecases) mod quota;
pub(in crate::usecases) mod rehearse;
pub(in crate::usecases) mod vacancy;
pub(in crate::usecases) mod validate;

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::domain::bounds::TokenAllowances;
use crate::domain::checksum::Algorithm;
use crate::domain::headers::ObjectHeaders;
use crate::domain::principal::Principal;
use crate::domain::upload::{Multipart, Upload};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::create::validate::Draft;
use crate::usecases::uploads::session::{Session, Urls, as_object, id_buffer, tagging};

/// What a client asks for, as it came; see the contract of `POST /uploads`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUpload {
    /// With or without the leading slash.
    pub path: String,
    /// By default the file stem.
    pub name: Option<String>,
    /// A note.
    pub comments: Option<String>,
    /// Kept in Postgres.
    pub metadata: BTreeMap<String, String>,
    /// By default by the extension.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// The algorithm's name and the value in base64.
    pub checksum: Option<(String, String)>,
    /// Whether an object that stands there may be replaced.
    pub overwrite: Option<bool>,
    /// Replace exactly this version.
    pub if_match: Option<String>,
    /// Set on the object.
    pub headers: ObjectHeaders,
    /// How long the URL lives, in seconds.
    pub expires_in: Option<u32>,
    /// Whether the bytes come in parts; by default where there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multipart: Option<bool>,
    /// Bytes of a part. Asks for parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// The algorithm by which S3 shall check every part. Asks for parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_checksums: Option<String>,
}

/// Makes an upload session.
///
/// Refused where a field is wrong, a limit or a quota is passed, or an acknowledged dataset stands
/// at the path and may not be replaced.
pub async fn create(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: NewUpload,
) -> Result<Session> {
    let draft = broker.declare(principal, new, broker.clock.now())?;
    let allowances = principal.bounds.token_allowances.clone();
    if draft.cut.is_none() {
        let Promise { upload, urls } = broker.promise(draft).await?;
        let upload = broker.write_row(upload, allowances).await?;
        let urls = Some(urls);
        return Ok(Session { upload, urls });
    }
    let this = Arc::clone(broker);
    let begun = async move {
        this.find_room(&draft.upload, allowances.as_deref()).await?;
        let promise = this.promise(draft).await?;
        match this.write_row(promise.upload.clone(), allowances).await {
            Ok(_) => Ok(promise.into()),
            Err(error) => {
                this.take_back(&promise.upload, &error).await;
                Err(error)
            }
        }
    };
    broker.to_end(begun).await
}

/// An upload as it would be, and its URLs. No row is written yet.
pub(in crate::usecases) struct Promise {
    pub(in crate::usecases) upload: Upload,
    pub(in crate::usecases) urls: Urls,
}

impl From<Promise> for Session {
    fn from(promise: Promise) -> Self {
        Self {
            upload: promise.upload,
            urls: Some(promise.urls),
        }
    }
}

impl Broker {
    /// Signs the URLs of a draft; one that comes in parts is begun at S3 for that.
    pub(in crate::usecases) async fn promise(&self, draft: Draft) -> Result<Promise> {
        let mut upload = draft.upload;
        if self
            .must_check_vacancy(&upload, draft.cut.is_some())
            .await?
        {
            self.must_be_vacant(&upload).await?;
        }
        if let Some(cut) = draft.cut {
            upload.multipart = Some(Multipart {
                s3_upload_id: self.begin(&upload, cut.checksums).await?,
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
        // A session in parts outlives the store's credentials: its URLs can be had anew. Those of
        // a single PUT cannot, and credentials in their last second may end before this very
        // microsecond.
        upload.expires_at = match &urls {
            Urls::Parts(_) => upload.created_at + TimeDelta::seconds(lifetime.into()),
            Urls::Put(put) => put.session_ends_at.max(upload.created_at),
        };
        Ok(Promise { upload, urls })
    }

    /// Begins the upload at S3; the answer is S3's id of it.
    pub(in crate::usecases) async fn begin(
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

    /// Refused where the row would be.
    pub(in crate::usecases) async fn find_room(
        &self,
        upload: &Upload,
        allowances: Option<&TokenAllowances>,
    ) -> Result<()> {
        let refusals = self.rehearse(slice::from_ref(upload), allowances).await?;
        match refusals.into_iter().flatten().next() {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// Ends at S3 what was begun for a row that was not written. Where the row may have been written
    /// all the same, the janitor finds out.
    pub(in crate::usecases) async fn take_back(&self, upload: &Upload, error: &Error) {
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
        let aborted = self.abort_stored(upload, multipart).await;
        if let Err(cause) = aborted {
            log::warn!(
                "S3 keeps parts of upload {} until the janitor frees them: {cause}",
                upload.id
            );
        }
    }
}
