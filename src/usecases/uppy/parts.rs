//! The parts of an upload of an Uppy client: those that S3 has, and URLs for others.
//!
//! The client says neither the size of the file nor that of a part, so no size is signed. A part is
//! refused whose number alone shows that the upload is larger than its limit: every part before it has
//! at least 5 MiB. Whatever S3 has then, the completion counts it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::session::UppySession;
use crate::domain::bounds::capped_url_seconds;
use crate::domain::part_plan::{MAX_PARTS, MIN_PART_SIZE};
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::objects::sign::PresignRequest;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::parts::list::parts_gone;
use crate::usecases::uploads::parts::{belongs_to_other_tenant, in_parts};

pub use crate::objects::multipart::UploadedPart;

/// The URLs of parts. They are credentials, so there is no `Debug`.
pub struct UppyParts {
    /// The upload.
    pub upload: Upload,
    /// The number and the URL of each part, in the requested order.
    pub urls: Vec<(u32, String)>,
    /// When the URLs expire.
    pub expires_at: DateTime<Utc>,
    /// The seconds until then.
    pub expires_in: i64,
}

/// Lists the parts of a Pending upload that S3 has: all pages, in the order of their numbers.
pub async fn list(
    broker: &Arc<Broker>,
    principal: &Principal,
    session: &UppySession,
) -> Result<Vec<UploadedPart>> {
    let upload = broker.find_uppy_upload(principal, session).await?;
    let multipart = in_parts(&upload)?;
    ensure_pending(&upload)?;
    let parts = broker.list_all_parts(&upload, multipart).await?;
    Ok(parts.ok_or_else(|| parts_gone(&upload))?)
}

/// Signs the URLs of parts, as often as they are asked for.
pub async fn sign(
    broker: &Arc<Broker>,
    principal: &Principal,
    session: &UppySession,
    numbers: &[u32],
) -> Result<UppyParts> {
    let upload = broker.find_uppy_upload(principal, session).await?;
    ensure_pending(&upload)?;
    if principal.jail.path(&upload.key).is_none() {
        return Err(belongs_to_other_tenant(&upload).into());
    }
    let limits = broker.limits(&principal.policy);
    check_numbers(&upload, numbers, limits.max_size_of(&upload))?;
    let left = broker
        .extend_session(&upload, limits.lifetime(&upload))
        .await?;
    let now = broker.clock.now();
    let seconds = capped_url_seconds(left, principal.bounds.ends_at, now);
    broker.sign_unsized_parts(upload, numbers, seconds).await
}

fn ensure_pending(upload: &Upload) -> Result<(), Refusal> {
    match upload.status {
        Status::Pending => Ok(()),
        status => Err(Refusal::wrong_status(upload.id, status, Transition::Cancel)),
    }
}

fn check_numbers(upload: &Upload, numbers: &[u32], most: u64) -> Result<(), Refusal> {
    let Some(last) = numbers.iter().max() else {
        return Err(Refusal::field("/partNumbers", "expected at least one"));
    };
    if numbers.contains(&0) || *last > MAX_PARTS {
        let detail = format!("must be a number from 1 to {MAX_PARTS}");
        return Err(Refusal::field("/partNumber", detail));
    }
    let least = u64::from(last - 1) * MIN_PART_SIZE;
    if least > 0 && least >= most {
        return Err(Refusal {
            upload_id: Some(upload.id),
            status: Some(upload.status),
            ..Refusal::new(
                Code::SizeLimitExceeded,
                format!(
                    "An upload with a part {last} has more than {least} bytes, and the limit is {most} bytes. No URL was signed."
                ),
            )
        });
    }
    Ok(())
}

impl Broker {
    async fn sign_unsized_parts(
        &self,
        upload: Upload,
        numbers: &[u32],
        seconds: u32,
    ) -> Result<UppyParts> {
        let now = self.clock.now();
        let credentials = (self.stores.credentials.get(now).await)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let bucket = self.bucket(&upload.bucket).await?;
        let id = &in_parts(&upload)?.s3_upload_id;
        let mut urls = Vec::with_capacity(numbers.len());
        let mut expires_at = now;
        for number in numbers {
            let text = number.to_string();
            let request = PresignRequest {
                method: "PUT",
                operation: Some("UploadPart"),
                key: &upload.key,
                headers: &[],
                query: &[("partNumber", &text), ("uploadId", id)],
                expires_in: seconds,
            };
            let signed = (bucket.signer)
                .presign(&request, &credentials, now)
                .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
            expires_at = signed.expires_at;
            urls.push((*number, signed.url));
        }
        Ok(UppyParts {
            upload,
            urls,
            expires_at,
            expires_in: (expires_at.timestamp() - now.timestamp()).max(1),
        })
    }
}
