//! Restarts a multipart upload, so that its parts can have checksums.
//!
//! S3 accepts checksums of parts only if their algorithm was named when the multipart upload was
//! created. As long as no part has arrived, the multipart upload is therefore created again with
//! the algorithm: the row is switched to the new one by compare-and-set, then the old one is
//! aborted. The old URLs stop working, and a part that is being sent to them is lost: its client
//! finds it missing and sends it again. A crash in between leaves a multipart upload without a row,
//! which the janitor aborts.

use crate::domain::checksum::Algorithm;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Multipart, Upload};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::parts::list::parts_gone;

impl Broker {
    /// Restarts the multipart upload with the algorithm.
    pub(super) async fn restart_multipart(
        &self,
        upload: Upload,
        algorithm: Algorithm,
    ) -> Result<Upload> {
        let Some(before) = upload.multipart.clone() else {
            return Ok(upload);
        };
        let bucket = self.bucket(&upload.bucket).await?;
        let page = (bucket.objects)
            .list_parts(&upload.key, &before.s3_upload_id, 0)
            .await?;
        let Some(page) = page else {
            // Another caller may have restarted it since the row was read.
            return self
                .use_concurrent_restart(&upload, &before, algorithm)
                .await;
        };
        if !page.parts.is_empty() {
            return Err(checksums_too_late(&upload, algorithm).into());
        }
        let multipart = Multipart {
            part_checksums: Some(algorithm),
            s3_upload_id: (self.begin_multipart(&upload, Some(algorithm)).await)
                .map_err(|error| point_at_parts(error, algorithm))?,
            ..before.clone()
        };
        let mut connection = self.connection().await?;
        let swapped = uploads::replace_multipart(
            &mut connection,
            upload.id,
            &before.s3_upload_id,
            &multipart,
        )
        .await?;
        drop(connection);
        let upload = Upload {
            multipart: Some(multipart),
            ..upload
        };
        if swapped {
            self.abort_parts(&upload, &before).await;
            return Ok(upload);
        }
        self.abort(&upload).await;
        self.use_concurrent_restart(&upload, &before, algorithm)
            .await
    }

    /// Returns the upload as a faster caller has restarted it, if that caller used the same
    /// algorithm.
    async fn use_concurrent_restart(
        &self,
        upload: &Upload,
        before: &Multipart,
        algorithm: Algorithm,
    ) -> Result<Upload> {
        let now = self.reload(upload).await?;
        match &now.multipart {
            _ if now.status != Status::Pending => {
                Err(Refusal::wrong_status(now.id, now.status, Transition::Cancel).into())
            }
            Some(other) if other.part_checksums == Some(algorithm) => Ok(now),
            Some(other) if other.s3_upload_id == before.s3_upload_id => {
                Err(parts_gone(&now).into())
            }
            _ => Err(checksums_too_late(&now, algorithm).into()),
        }
    }
}

/// The algorithm came from the request for parts, so the refusal points there.
fn point_at_parts(error: Error, algorithm: Algorithm) -> Error {
    match error {
        Error::Refused(refusal)
            if (refusal.errors.iter()).any(|error| error.pointer == "/part_checksums") =>
        {
            let name = algorithm.as_str();
            let detail = format!("{name} is not supported by the store: use another algorithm");
            Refusal::field("/parts/0/checksum/algorithm", detail).into()
        }
        error => error,
    }
}

fn checksums_too_late(upload: &Upload, algorithm: Algorithm) -> Refusal {
    let name = algorithm.as_str();
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        errors: Refusal::field(
            "/parts/0/checksum",
            "was sent after parts without a checksum",
        )
        .errors,
        ..Refusal::new(
            Code::InvalidRequest,
            format!(
                "Parts of this upload were sent without a checksum, and S3 accepts no {name} after that. Create the upload with part_checksums {name} to have all of its parts verified."
            ),
        )
    }
}
