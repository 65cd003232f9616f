//! The audit rows of operators' actions on endpoints.

use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::audit::{Action, ActionDetails};
use crate::store::Connection;
use crate::usecases::audit;
use crate::usecases::error::Result;

/// Writes the audit row of an action, in the caller's transaction.
pub(super) async fn record(
    connection: &mut Connection,
    clock: &Clock,
    action: Action,
    id: Uuid,
    tenant: &str,
) -> Result<()> {
    let actions = vec![ActionDetails::on_subject(action, id)];
    Ok(audit::record_operator(connection, clock.now(), tenant, actions).await?)
}
