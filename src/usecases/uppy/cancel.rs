//! Cancels an upload in parts of an Uppy client.

use std::sync::Arc;

use super::session::UppySession;
use crate::domain::principal::Principal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Cancels an upload. To cancel it again changes nothing, because the first answer may have been lost.
pub async fn cancel(
    broker: &Arc<Broker>,
    principal: &Principal,
    session: &UppySession,
) -> Result<Upload> {
    let upload = broker.find_uppy_upload(principal, session).await?;
    if upload.status == Status::Cancelled {
        return Ok(upload);
    }
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.cancel(upload).await })
        .await
}
