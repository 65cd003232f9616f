//! Cancels an upload in parts of an Uppy client.

use std::sync::Arc;

use super::session::UppySession;
use crate::domain::principal::Principal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Cancels an upload. Nothing changes if it has ended without a dataset: the first answer may have been
/// lost, and version 5 of the client also cancels an upload whose completion was refused.
pub async fn cancel(
    broker: &Arc<Broker>,
    principal: &Principal,
    session: &UppySession,
) -> Result<Upload> {
    let upload = broker.find_uppy_upload(principal, session).await?;
    let has_ended = match upload.status {
        Status::Cancelled | Status::Expired => true,
        Status::Error => !upload.was_acknowledged(),
        _ => false,
    };
    if has_ended {
        return Ok(upload);
    }
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.cancel(upload).await })
        .await
}
