//! Lists the parts that S3 has of an upload, and those that are missing.
//!
//! The broker stores nothing of that: S3 knows. The pages are passed on one by one, so that 10,000
//! parts take no more memory than one page.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::part_plan::PartPlan;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::objects::Bucket;
use crate::objects::multipart::PartsPage;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::find;
use crate::usecases::uploads::parts::in_parts;
use crate::usecases::uploads::parts::sign::plan;

pub use crate::objects::multipart::UploadedPart;

/// A listing in progress.
pub struct Parts {
    bucket: Arc<Bucket>,
    key: String,
    s3_upload_id: String,
    plan: PartPlan,
    /// The numbers of the parts that have the planned size.
    right: Vec<u32>,
    page: Option<PartsPage>,
}

/// Starts to list the parts of a Pending upload, and reads the first page.
///
/// Refuses an upload that is no longer Pending or that is sent in a single PUT.
pub async fn list(broker: Arc<Broker>, principal: &Principal, id: Uuid) -> Result<Parts> {
    let mut missed = None;
    loop {
        let mut connection = broker.connection().await?;
        let upload = find::by_id(&mut connection, principal, id).await?;
        drop(connection);
        let multipart = in_parts(&upload)?;
        if upload.status != Status::Pending {
            return Err(Refusal::wrong_status(id, upload.status, Transition::Cancel).into());
        }
        let bucket = broker.bucket(&upload.bucket).await?;
        let page = (bucket.objects)
            .list_parts(&upload.key, &multipart.s3_upload_id, 0)
            .await?;
        let s3_upload_id = multipart.s3_upload_id.clone();
        match page {
            Some(page) => {
                return Ok(Parts {
                    plan: plan(&upload, multipart)?,
                    page: Some(page),
                    s3_upload_id,
                    key: upload.key,
                    bucket,
                    right: Vec::new(),
                });
            }
            None if missed.as_ref() == Some(&s3_upload_id) => {
                return Err(parts_gone(&upload).into());
            }
            // The upload may have been restarted or have ended since the row was read.
            None => missed = Some(s3_upload_id),
        }
    }
}

/// The refusal for an upload that S3 no longer has.
pub(in crate::usecases) fn parts_gone(upload: &Upload) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(
            Code::ObjectMissing,
            "S3 no longer has any parts of this upload. If they were completed, acknowledge the upload; otherwise create a new one: a lifecycle rule of the bucket may have removed them.",
        )
    }
}

impl Parts {
    /// The part plan of the upload.
    pub fn plan(&self) -> PartPlan {
        self.plan
    }

    /// Returns the next page, in the order of the part numbers; `None` after the last one. Fails if
    /// the upload ends between two pages, because the parts of the other pages are not missing.
    pub async fn next_page(&mut self) -> Result<Option<Vec<UploadedPart>>> {
        let Some(page) = self.page.take() else {
            return Ok(None);
        };
        if let Some(after) = page.next {
            let next = (self.bucket.objects)
                .list_parts(&self.key, &self.s3_upload_id, after)
                .await?;
            let cause = "the upload ended while its parts were listed";
            self.page = Some(next.ok_or_else(|| Error::unavailable(Dependency::S3, cause))?);
        }
        let right = page.parts.iter();
        let right = right.filter(|part| self.plan.validate_part(part.number, part.size).is_ok());
        self.right.extend(right.map(|part| part.number));
        Ok(Some(page.parts))
    }

    /// Returns the parts that are absent or do not have the planned size, as inclusive ranges. It
    /// is complete after the last page.
    pub fn missing(&self) -> Vec<(u32, u32)> {
        self.plan.missing(self.right.iter().copied())
    }
}
