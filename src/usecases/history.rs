//! The history of an upload.

use uuid::Uuid;

use super::broker::Broker;
use super::error::Result;
use crate::domain::event::Event;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::store::{events, uploads};

/// Every event of an upload, oldest first.
pub async fn history(broker: &Broker, principal: &Principal, id: Uuid) -> Result<Vec<Event>> {
    let mut connection = broker.connection().await?;
    let history = events::history(&mut connection, &principal.tenant, id).await?;
    // An upload without events exists all the same; one of another tenant does not.
    if history.is_empty() {
        uploads::by_id(&mut connection, &principal.tenant, id)
            .await?
            .ok_or_else(|| Refusal::no_upload(id))?;
    }
    Ok(history)
}
