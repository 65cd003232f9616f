//! Copies with an idempotency key: a repeated request copies nothing again.

use super::copy_to::CopyTo;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::idempotency::{Reservation, hide_earlier_upload};
use crate::usecases::uploads::find;

/// Returns the reservation of a copy with `key`.
pub(super) fn reservation(key: &str, from: &DatasetPath, request: &CopyTo) -> Result<Reservation> {
    Reservation::of_one(key, &("copy", from.as_str(), request))
}

impl Broker {
    /// Returns the upload that an earlier request with the key created. Refuses a key that was used
    /// for another request.
    pub(super) async fn find_earlier_copy(
        &self,
        principal: &Principal,
        reservation: &Reservation,
    ) -> Result<Option<Upload>> {
        let earlier = self
            .find_earlier(&principal.tenant, reservation, self.clock.now())
            .await
            .map_err(|error| hide_earlier_upload(principal, error))?;
        let Some(id) = earlier.into_values().next() else {
            return Ok(None);
        };
        let mut connection = self.connection().await?;
        Ok(Some(find::by_id(&mut connection, principal, id).await?))
    }
}
