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
//! | before CompleteMultipartUpload | a Pending row, with its claims, and its parts | the client, who asks again; past the deadline the janitor |
//! | after it | a Pending row, with its claims, and its object | the same: HEAD finds the object, which is held to the same claims |
//! | after it, where the object is wrong | the same; the row of a dataset that stood there says Uploaded | the same: the upload fails, and the row of that dataset says that it has drifted, in one transaction |
//! | after the row failed | an Error row, and its parts | the last look of the janitor |

mod agree;
mod assemble;
mod claims;
mod clear;
mod commit;
mod completion_lock;
mod fail;
mod obstacle;
mod promise;
mod prove;
mod refusals;
mod signed_checksums;

mod whole;

use std::sync::Arc;

use uuid::Uuid;

pub(in crate::usecases) use assemble::Assembled;
pub use claims::Claims;
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
use crate::usecases::uploads::parts::list::gone;
use crate::usecases::uploads::parts::not_ours;

/// Acknowledges one upload. Again, or a hundred at once: one transition, one event, and the same
/// answer for all.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    claims: Claims,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::to_write(&mut connection, principal, id).await?;
    drop(connection);
    to_end(broker, upload, claims).await
}

/// Acknowledges the newest upload of a path.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: &Principal,
    path: &DatasetPath,
    claims: Claims,
) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let found = uploads::find_newest_at_path(&mut connection, &principal.tenant, path).await?;
    let upload = find::visible(principal, path, found, Code::UploadNotFound)?;
    find::may_write(principal, &upload)?;
    drop(connection);
    to_end(broker, upload, claims).await
}

/// Acknowledges an upload that the caller may know of; goes on when the caller disconnects.
pub(in crate::usecases) async fn to_end(
    broker: &Arc<Broker>,
    upload: Upload,
    claims: Claims,
) -> Result<Upload> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move {
            this.acknowledge(upload, claims, Verifier::Acknowledge)
                .await
        })
        .await
}

impl Broker {
    /// Proves `upload` and says what came of it in a client's words.
    pub(in crate::usecases) async fn acknowledge(
        self: &Arc<Self>,
        mut upload: Upload,
        claims: Claims,
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
        let (claimed, assembled) = self.assemble(&mut upload, claims).await?;
        if upload.was_acknowledged() {
            return Ok(upload);
        }
        if !Transition::Acknowledge.allows(upload.status) {
            return self.left(&upload).await;
        }
        if let Assembled::Wrong(refusal) = assembled {
            return self.fail(&upload, *refusal, None).await;
        }
        let outcome = self.prove(upload, &claimed, by).await?;
        match outcome.after(&assembled)? {
            Outcome::Uploaded(upload) => Ok(upload),
            Outcome::Missing(upload) | Outcome::NotYetOurs(upload)
                if matches!(assembled, Assembled::Gone) =>
            {
                Err(gone(&upload).into())
            }
            Outcome::Missing(upload) => {
                Err(missing(&upload, "Nothing stands at its path yet.").into())
            }
            Outcome::NotYetOurs(upload) => Err(missing(
                &upload,
                "The object at its path is not its own; its bytes have not come yet.",
            )
            .into()),
            Outcome::Refuted {
                upload,
                refusal,
                unproven,
            } => self.fail(&upload, refusal, unproven).await,
            Outcome::NotTheirs(upload) => Err(not_ours(&upload).into()),
            Outcome::Elsewhere(upload) => self.left(&upload).await,
        }
    }

    /// It left the states that can be acknowledged, under this caller's eyes.
    async fn left(&self, upload: &Upload) -> Result<Upload> {
        self.clear_if_ended(upload).await;
        Err(Refusal::wrong_status(upload.id, upload.status, Transition::Acknowledge).into())
    }
}

fn missing(upload: &Upload, detail: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(Code::ObjectMissing, detail)
    }
}
