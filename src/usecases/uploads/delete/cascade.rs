//! Deletes an upload together with every dataset that was derived from it.
//!
//! 1. Check the upload and everything derived from it. If one of them cannot be deleted, the
//!    request is refused, the refusal names it, and nothing is deleted.
//! 2. Delete what was derived, each as a delete by its id would: a dataset before the one that it
//!    was derived from. Pending uploads are cancelled.
//! 3. Delete the upload itself.
//! 4. Delete what was derived from it since step 2.
//!
//! `force` applies to the upload itself only: another object at the path of a derived dataset is
//! never removed, and never left behind without notice.
//!
//! | fault | leaves | repaired by |
//! |---|---|---|
//! | a crash, or an outage of S3 or Postgres, before step 3 | the upload, and derived datasets that step 2 has not reached; one of them may be Deleting | the caller repeats the request; the janitor ends what is Deleting |
//! | a derived dataset drifts between steps 1 and 2 | the upload, that dataset, and those that step 2 has not reached | the refusal names it; the caller deletes it by itself and repeats the request |
//! | a crash, or an outage, in step 3 or 4 | the upload, Deleting or Deleted, and what was derived since step 2 | the janitor ends the delete; the caller repeats the request, which a Deleted upload permits while anything derived from it is left |
//! | the caller disconnects, or is answered that the work goes on | nothing | – |

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::derived::{Derived, Step};
use super::object::ensure_status;
use super::options::{DeleteOptions, Force};
use super::{find_by_id, find_by_path};
use crate::domain::audit::{Action, Origin};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// How a cascading delete is done.
#[derive(Debug)]
pub struct Cascade {
    /// What to do if another object is at the path of the upload itself.
    pub force: Force,
    /// When the caller has to be answered. The work goes on after that.
    pub until: Instant,
    /// Who deletes. Each upload is audited when it is deleted, because the work may outlive the
    /// request.
    pub origin: Origin,
}

/// Deletes an upload and everything derived from it, and returns the upload.
///
/// # Errors
/// What is refused of a delete by id; an upload derived from it that cannot be deleted, or that the
/// caller may not reach; [`Error::Busy`] if the work goes on after `until`.
pub async fn by_id(
    broker: &Arc<Broker>,
    principal: Arc<Principal>,
    id: Uuid,
    cascade: Cascade,
) -> Result<Upload> {
    let (upload, options) = find_by_id(broker, &principal, id, cascade.force).await?;
    delete_all(broker, principal, upload, options, cascade).await
}

/// Deletes the dataset at a path, its upload and everything derived from it, and returns the
/// upload. Afterwards no object is at the path.
///
/// # Errors
/// Those of [`by_id`], and what is refused of a delete by path.
pub async fn by_path(
    broker: &Arc<Broker>,
    principal: Arc<Principal>,
    path: &DatasetPath,
    cascade: Cascade,
) -> Result<Upload> {
    let (upload, options) = find_by_path(broker, &principal, path, cascade.force).await?;
    delete_all(broker, principal, upload, options, cascade).await
}

async fn delete_all(
    broker: &Arc<Broker>,
    principal: Arc<Principal>,
    upload: Upload,
    options: DeleteOptions,
    cascade: Cascade,
) -> Result<Upload> {
    let derived = Derived {
        broker: Arc::clone(broker),
        principal,
        origin: cascade.origin,
    };
    let work = broker.tasks.run_to_end(async move {
        delete_in_order(&derived, &upload, options).await?;
        Ok(upload)
    });
    timeout_at(cascade.until, work).await.unwrap_or_else(|_| {
        let detail =
            "The delete goes on; so far, a part of what was derived from this upload is deleted";
        Err(Error::Busy(detail.to_owned()))
    })
}

async fn delete_in_order(derived: &Derived, upload: &Upload, options: DeleteOptions) -> Result<()> {
    let broker = &derived.broker;
    if upload.status == Status::Deleted {
        if derived.visit(upload.id, Step::Check).await? == 0 {
            return Ok(ensure_status(upload)?);
        }
        derived.visit(upload.id, Step::Delete).await?;
        return Ok(());
    }
    broker.ensure_deletable(upload, options).await?;
    derived.visit(upload.id, Step::Check).await?;
    derived.visit(upload.id, Step::Delete).await?;
    broker.delete(upload, options).await?;
    derived.record(Action::UploadDeleted, upload);
    derived.visit(upload.id, Step::Delete).await?;
    Ok(())
}
