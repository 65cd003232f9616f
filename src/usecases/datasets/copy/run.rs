//! Runs a copy at the store, and proves it.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::source::Source;
use super::target::target_exists;
use crate::domain::object::same_etag;
use crate::domain::part_plan::Part;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Transition;
use crate::domain::upload::{Multipart, Upload, Verifier};
use crate::objects::{Copied, CopyObject, CopyPart};
use crate::store::uploads::{self, Changes};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::acknowledge::Expected;
use crate::usecases::uploads::parts::sign::plan;
use crate::usecases::uploads::session::{as_object, id_buffer};

/// The number of parts that are copied concurrently.
const CONCURRENT_PARTS: usize = 8;

impl Broker {
    /// Copies the bytes and proves them. Returns the Uploaded upload.
    pub(super) async fn run_copy(
        self: &Arc<Self>,
        upload: Upload,
        source: &Source,
    ) -> Result<Upload> {
        let copied = match &upload.multipart {
            None => self.copy_whole(&upload, source).await,
            Some(multipart) => self.copy_parts(&upload, multipart, source).await,
        };
        match copied {
            Ok(Copied::Done | Copied::NoSuchUpload) => self.prove_copy(upload).await,
            Ok(Copied::PreconditionFailed) => self.prove_or_cancel(upload, source).await,
            Ok(Copied::Conflict) => {
                self.cancel_copy(&upload).await?;
                let cause = "another write of the key is in progress";
                Err(Error::unavailable(Dependency::S3, cause))
            }
            Ok(Copied::Archived) => {
                self.cancel_copy(&upload).await?;
                Err(archived(source).into())
            }
            // The answer may have been lost although the copy exists. Otherwise the row is left to
            // the janitor.
            Err(fault @ Error::Unavailable { .. }) if upload.multipart.is_none() => {
                let proven = self.prove_copy(upload).await;
                proven.map_err(|_| fault)
            }
            Err(error) => Err(error),
        }
    }

    async fn prove_copy(self: &Arc<Self>, upload: Upload) -> Result<Upload> {
        self.acknowledge(upload, Expected::default(), Verifier::Acknowledge)
            .await
    }

    /// The last call copied nothing: the source has changed, or there is an object at the target.
    async fn prove_or_cancel(self: &Arc<Self>, upload: Upload, source: &Source) -> Result<Upload> {
        let bucket = self.bucket(&upload.bucket).await?;
        let refusal = match bucket.objects.head(&source.key).await? {
            None => source.not_found(),
            Some(now) if !same_etag(&now.etag, &source.object.etag) => source.drifted(),
            Some(_) => match self.prove_copy(upload.clone()).await {
                Err(Error::Refused(refusal)) if refusal.code == Code::ObjectMissing => {
                    target_exists(&upload)
                }
                proven => return proven,
            },
        };
        self.cancel_copy(&upload).await?;
        Err(refusal.into())
    }

    /// Cancels an upload of which nothing was written.
    async fn cancel_copy(&self, upload: &Upload) -> Result<()> {
        self.change_status(upload, Transition::Cancel, Changes::default())
            .await?;
        self.abort(upload).await;
        Ok(())
    }

    async fn copy_whole(&self, upload: &Upload, source: &Source) -> Result<Copied> {
        self.extend_for_copy(upload).await?;
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let bucket = self.bucket(&upload.bucket).await?;
        let copy = CopyObject {
            source: source.version(),
            object: &as_object(upload, id, None),
            metadata: &source.metadata(),
            timeout: self.rules.complete_timeout,
        };
        Ok(bucket.objects.copy(&copy).await?)
    }

    /// Copies all parts, several at once. Stops at the first part that is not copied.
    async fn copy_parts(
        &self,
        upload: &Upload,
        multipart: &Multipart,
        source: &Source,
    ) -> Result<Copied> {
        let plan = plan(upload, multipart)?;
        let parts: Vec<Part> = plan.parts(1..=plan.last()).collect();
        for chunk in parts.chunks(CONCURRENT_PARTS) {
            self.extend_for_copy(upload).await?;
            let copied = stream::iter(chunk.iter().copied())
                .map(|part| self.copy_part(upload, multipart, source, part))
                .buffer_unordered(CONCURRENT_PARTS)
                .try_collect::<Vec<_>>()
                .await?;
            if let Some(other) = copied.into_iter().find(|one| *one != Copied::Done) {
                return Ok(other);
            }
        }
        Ok(Copied::Done)
    }

    async fn copy_part(
        &self,
        upload: &Upload,
        multipart: &Multipart,
        source: &Source,
        part: Part,
    ) -> Result<Copied> {
        let bucket = self.bucket(&upload.bucket).await?;
        let copy = CopyPart {
            source: source.version(),
            key: &upload.key,
            upload_id: &multipart.s3_upload_id,
            part,
            timeout: self.rules.complete_timeout,
        };
        Ok(bucket.objects.copy_part(&copy).await?)
    }

    /// Extends the deadline by the time that the store may take, so that the janitor does not
    /// expire the upload. Refuses an upload that has ended meanwhile.
    async fn extend_for_copy(&self, upload: &Upload) -> Result<()> {
        let timeout = TimeDelta::from_std(self.rules.complete_timeout);
        let until = self.clock.now() + timeout.unwrap_or_default();
        let mut connection = self.connection().await?;
        if uploads::extend(&mut connection, upload.id, until).await? {
            return Ok(());
        }
        drop(connection);
        let now = self.reload(upload).await?;
        Err(Refusal::wrong_status(now.id, now.status, Transition::Acknowledge).into())
    }
}

fn archived(source: &Source) -> Refusal {
    Refusal::new(
        Code::InvalidRequest,
        format!(
            "The dataset at {} has an archived storage class: restore it, then copy it.",
            source.path
        ),
    )
}
