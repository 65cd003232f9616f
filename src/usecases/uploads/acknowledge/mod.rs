//! Acknowledge: the object is looked at, compared with the promise, and only then Uploaded.
//!
//! Parts are made an object first, where they are whole. The HEAD comes next, then one transaction
//! that changes the row, supersedes whoever stood at the path and writes the event. A crash before
//! the commit leaves the row as it was: the client, or the janitor after the deadline, asks again.
//! What another caller acknowledges at the same path between the HEAD and the commit is noticed in
//! the transaction, and the object is looked at anew: a proof of bytes that were replaced meanwhile
//! is worth nothing.
//!
//! An object that S3 makes of parts replaces what stood at the key. So everything that the parts
//! say about the whole is compared before S3 is asked to make it. What a crash leaves:
//!
//! | dies | leaves | repaired by |
//! |---|---|---|
//! | before CompleteMultipartUpload | a Pending row, with its expected, and its parts | the client, who asks again; past the deadline the janitor |
//! | after it | a Pending row, with its expected, and its object | the same: HEAD finds the object, which is held to the same expected |
//! | after it, where the object is wrong | the same; the row of a dataset that stood there says Uploaded | the same: the upload fails, and the row of that dataset says that it has drifted, in one transaction |
//! | after the row failed | an Error row, and its parts | the last look of the janitor |

mod assemble;
mod blocker;
mod clean_up;
mod commit;
mod compare_parts;
mod completion_lock;
mod expected;
mod fail;
mod prove;
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

/// Acknowledges one upload. Again, or a hundred at once: one transition, one event, and the same
/// answer for all.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    expected: Expected,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::to_write(&mut connection, principal, id).await?;
    drop(connection);
    to_end(broker, upload, expected).await
}

/// Acknowledges the newest upload of a path.
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
    to_end(broker, upload, expected).await
}

/// Acknowledges an upload that the caller may know of; goes on when the caller disconnects.
pub(in crate::usecases) async fn to_end(
    broker: &Arc<Broker>,
    upload: Upload,
    expected: Expected,
) -> Result<Upload> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move {
            this.acknowledge(upload, expected, Verifier::Acknowledge)
                .await
        })
        .await
}

impl Broker {
    /// Proves `upload` and says what came of it in a client's words.
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
                Err(object_missing(&upload, "Nothing stands at its path yet.").into())
            }
            Outcome::ForeignObject(upload) => Err(object_missing(
                &upload,
                "The object at its path is not its own; its bytes have not come yet.",
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

    /// It left the states that can be acknowledged, under this caller's eyes.
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
