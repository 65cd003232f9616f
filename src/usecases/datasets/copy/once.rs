//! A copy under an idempotency key: the same request again copies nothing anew.

use super::asked::CopyTo;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::upload::Upload;
use crate::store::idempotency;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::create::once::{KEPT, hash, reused, untold};
use crate::usecases::uploads::find;

/// A key, and what was asked for under it.
pub(super) struct Claim {
    pub(super) key: String,
    /// SHA-256 of the request.
    pub(super) hash: [u8; 32],
}

impl Claim {
    pub(super) fn of(key: &str, from: &DatasetPath, asked: &CopyTo) -> Result<Self> {
        Ok(Self {
            key: key.to_owned(),
            hash: hash(&("copy", from.as_str(), asked))?,
        })
    }
}

impl Broker {
    /// The upload that an earlier request with the key made. Refused where that was another
    /// request.
    pub(super) async fn copied_before(
        &self,
        principal: &Principal,
        claim: &Claim,
    ) -> Result<Option<Upload>> {
        let request = idempotency::Request {
            tenant: &principal.tenant,
            key: &claim.key,
            hash: claim.hash,
        };
        let fresh_after = self.clock.now() - KEPT;
        let mut connection = self.connection().await?;
        match idempotency::find_reservation(&mut connection, &request, fresh_after).await? {
            Some(idempotency::Reservation::Existing {
                upload_id,
                same_request: true,
            }) => Ok(Some(
                find::by_id(&mut connection, principal, upload_id).await?,
            )),
            Some(idempotency::Reservation::Existing { upload_id, .. }) => {
                Err(untold(principal, Error::from(reused(upload_id))))
            }
            Some(idempotency::Reservation::New) | None => Ok(None),
        }
    }
}
