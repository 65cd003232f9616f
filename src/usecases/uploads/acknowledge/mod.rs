//! Acknowledges an upload: the object is read, compared with what was declared, and only then is
//! the upload marked Uploaded.
//!
//! If the upload has parts and all of them have arrived, they are completed first. The HEAD comes
//! next, then one transaction that changes the row, supersedes the previous upload at the path and
//! writes the event. A crash before the commit leaves the row as it was: the client, or the janitor
//! after the deadline, tries again. If another upload is acknowledged at the same path between the
//! HEAD and the commit, the transaction notices it and the object is read again, because a proof of
//! bytes that were replaced meanwhile is worth nothing.
//!
//! Completing the parts replaces the object at the key. Everything that the parts reveal about the
//! complete object is therefore compared before S3 is asked to complete them. What a crash leaves:
//!
//! | dies | leaves | repaired by |
//! |---|---|---|
//! | before CompleteMultipartUpload | a Pending row with the expected values, and its parts | the client, who asks again; after the deadline the janitor |
//! | after it | a Pending row with the expected values, and its object | the same: HEAD finds the object, which is compared with the same expected values |
//! | after it, if the object is wrong | the same; the row of a dataset that was at the path says Uploaded | the same: the upload fails, and the row of that dataset says that it has drifted, in one transaction |
//! | after the row failed | an Error row, and its parts | the janitor's final check |

mod assemble;
mod blocker;
mod clean_up;
mod commit;
mod compare_parts;
mod completion_lock;
mod expected;
mod fail;
mod prove;
mod queue_jobs;
mod refusals;
mod save_expected;
mod signed_checksums;
mod validate_parts;

use std::sync::Arc;

use uuid::Uuid;

pub(in crate::usecases) use assemble::Assembled;
pub use expected::Expected;
pub(in crate::usecases) use prove::{Outcome, Unproven};

use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;
use crate::usecases::uploads::parts::belongs_to_other_tenant;
use crate::usecases::uploads::parts::list::parts_gone;

/// Acknowledges one upload. Repeated or concurrent requests cause one transition and one event, and
/// get the same answer.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    expected: Expected,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::to_write(&mut connection, principal, id).await?;
    drop(connection);
    acknowledge_to_end(broker, upload, expected, Verifier::Acknowledge).await
}

/// Acknowledges the newest upload at a path.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: &Principal,
    path: &DatasetPath,
    expected: Expected,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let found = uploads::find_newest_at_path(&mut connection, &principal.tenant, path).await?;
    let upload = find::visible(principal, path, found, Code::UploadNotFound)?;
    find::may_write(principal, &upload)?;
    drop(connection);
    acknowledge_to_end(broker, upload, expected, Verifier::Acknowledge).await
}

/// Acknowledges an upload that the caller may see. It continues if the caller disconnects.
pub(in crate::usecases) async fn acknowledge_to_end(
    broker: &Arc<Broker>,
    upload: Upload,
    expected: Expected,
    by: Verifier,
) -> Result<Upload> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.acknowledge(upload, expected, by).await })
        .await
}

impl Broker {
    /// Proves `upload`, and returns the refusal for the client if that is impossible.
    pub(in crate::usecases) async fn acknowledge(
        self: &Arc<Self>,
        mut upload: Upload,
        expected: Expected,
        by: Verifier,
    ) -> Result<Upload> {
        let _lock = self.lock_completion(&mut upload).await?;
        if upload.was_acknowledged() {
            return Ok(upload);
        }
        if !Transition::Acknowledge.allows(upload.status) {
            return Err(
                Refusal::wrong_status(upload.id, upload.status, Transition::Acknowledge).into(),
            );
        }
        let (valid, assembled) = self.assemble(&mut upload, expected).await?;
        if upload.was_acknowledged() {
            return Ok(upload);
        }
        if !Transition::Acknowledge.allows(upload.status) {
            return self.reject_ended(&upload).await;
        }
        if let Assembled::Wrong(refusal) = assembled {
            return self.fail(&upload, *refusal, None).await;
        }
        let outcome = self.prove(upload, &valid, by).await?;
        match outcome.combine_with(&assembled)? {
            Outcome::Uploaded(upload) => Ok(upload),
            Outcome::Missing(upload) | Outcome::ForeignObject(upload)
                if matches!(assembled, Assembled::Gone) =>
            {
                Err(parts_gone(&upload).into())
            }
            Outcome::Missing(upload) => {
                Err(object_missing(&upload, "There is no object at its path yet.").into())
            }
            Outcome::ForeignObject(upload) => Err(object_missing(
                &upload,
                "The object at its path is not its own: its bytes have not arrived yet.",
            )
            .into()),
            Outcome::Rejected {
                upload,
                refusal,
                unproven,
            } => self.fail(&upload, refusal, unproven).await,
            Outcome::OtherTenantsPrefix(upload) => Err(belongs_to_other_tenant(&upload).into()),
            Outcome::Ended(upload) => self.reject_ended(&upload).await,
        }
    }

    /// Refuses an upload that left the states that can be acknowledged while it was being proven,
    /// and cleans up after it.
    async fn reject_ended(&self, upload: &Upload) -> Result<Upload> {
        self.clean_up_if_ended(upload).await;
        Err(Refusal::wrong_status(upload.id, upload.status, Transition::Acknowledge).into())
    }
}

fn object_missing(upload: &Upload, detail: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(Code::ObjectMissing, detail)
    }
}
