//! Reads the events of an upload.

use uuid::Uuid;

use crate::domain::event::Event;
use crate::domain::principal::Principal;
use crate::store::events;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;

/// Returns every event of an upload, oldest first.
pub async fn history(broker: &Broker, principal: &Principal, id: Uuid) -> Result<Vec<Event>> {
    let mut connection = broker.connection().await?;
    let history = events::history(&mut connection, &principal.tenant, id).await?;
    // An upload may have no events. One of another tenant, or outside the caller's folder, does not
    // exist for the caller.
    if history.is_empty() || principal.jail.folder().is_some() {
        find::by_id(&mut connection, principal, id).await?;
    }
    Ok(history)
}
