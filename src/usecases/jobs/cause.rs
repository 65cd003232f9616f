//! What caused the jobs of an upload.

use uuid::Uuid;

use crate::domain::event::EventType;
use crate::store::events;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Returns the trace context of the request that completed an upload, which queued its jobs. `None` if
/// the request was in no trace, or its event has been removed since.
pub async fn find_traceparent(broker: &Broker, upload: Uuid) -> Result<Option<String>> {
    let mut connection = broker.connection().await?;
    let found = events::find_traceparent(&mut connection, upload, EventType::Uploaded).await?;
    Ok(found)
}
