//! Signs URLs for the parts that a client asks for, as often as it asks.
//!
//! Signing is a local computation; the size by which an open-ended upload grows is counted before
//! ([`reserve`]). The session is extended while its client asks: a URL lives at least half of the
//! session's original lifetime, and never past the session's end, which moves along. If the
//! caller's credential ends earlier, so do its URLs. Nothing is lost if this fails: the client asks
//! again.

pub mod list;
pub mod sign;

mod requested;
mod reserve;
mod restart;
mod validate;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::requested::{RequestedPart, RequestedParts};
use self::validate::SelectedParts;
use crate::domain::bounds::capped_url_seconds;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Multipart, Upload};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;
use crate::usecases::uploads::parts::sign::{PartsToSign, SignedParts, plan};

/// Signs the requested parts.
///
/// Refuses parts that do not belong to the upload or make it too large, and an upload that is no
/// longer Pending or that is sent in a single PUT.
pub async fn sign(
    broker: &Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    requested: RequestedParts,
) -> Result<SignedParts> {
    let mut connection = broker.connection().await?;
    let upload = find::to_write(&mut connection, principal, id).await?;
    drop(connection);
    let multipart = in_parts(&upload)?;
    if upload.status != Status::Pending {
        return Err(Refusal::wrong_status(id, upload.status, Transition::Cancel).into());
    }
    if principal.jail.path(&upload.key).is_none() {
        return Err(belongs_to_other_tenant(&upload).into());
    }
    if upload.size_at_create().is_none()
        && (principal.bounds.token_allowances.as_ref())
            .is_some_and(|allowances| allowances.max_bytes().is_some())
    {
        return Err(size_unknown().into());
    }
    let plan = plan(&upload, multipart)?;
    let limits = broker.limits(&principal.policy);
    let most = limits.max_size_of(&upload);
    let valid = validate::validate(requested, plan, multipart.part_checksums, most)?;
    let lifetime = limits.lifetime(&upload);
    let upload = match valid.algorithm {
        Some(algorithm) if multipart.part_checksums.is_none() => {
            let this = Arc::clone(broker);
            broker
                .tasks
                .run_to_end(async move { this.restart_multipart(upload, algorithm).await })
                .await?
        }
        _ => upload,
    };
    let (upload, parts) = broker.reserve_listed(upload, valid.parts, most).await?;
    broker
        .extend_and_sign(&upload, lifetime, principal.bounds.ends_at, parts)
        .await
}

/// The bytes of an upload without a declared size cannot be counted against a token.
fn size_unknown() -> Refusal {
    let detail =
        "cannot be signed: the upload token counts bytes, and this upload has no declared size";
    Refusal::field("/parts", detail)
}

/// Returns the multipart upload, or refuses an upload in a single PUT, which has no parts.
pub(in crate::usecases) fn in_parts(upload: &Upload) -> Result<&Multipart, Refusal> {
    upload.multipart.as_ref().ok_or_else(|| Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::InvalidRequest,
            "The bytes of this upload are sent in a single PUT: it has no parts. Create it with multipart to send parts.",
        )
    })
}

impl Broker {
    /// Counts parts that are listed one by one, even if the caller disconnects.
    async fn reserve_listed(
        self: &Arc<Self>,
        upload: Upload,
        parts: SelectedParts,
        most: u64,
    ) -> Result<(Upload, PartsToSign)> {
        let listed = match parts {
            SelectedParts::Planned(planned) => return Ok((upload, planned)),
            SelectedParts::Listed(listed) => listed,
        };
        let this = Arc::clone(self);
        self.tasks
            .run_to_end(async move {
                this.reserve(&upload, &listed, most).await?;
                Ok((upload, PartsToSign::listed(listed.into_iter())))
            })
            .await
    }

    async fn extend_and_sign(
        &self,
        upload: &Upload,
        lifetime: u32,
        ends_at: Option<DateTime<Utc>>,
        parts_to_sign: PartsToSign,
    ) -> Result<SignedParts> {
        let left = self.extend_session(upload, lifetime).await?;
        let multipart = in_parts(upload)?;
        let seconds = capped_url_seconds(left, ends_at, self.clock.now());
        self.sign_parts(upload, multipart, seconds, parts_to_sign)
            .await
    }

    /// Extends a Pending session whose URLs would live less than half of `lifetime`, in seconds.
    /// Returns how many seconds its URLs may live: `lifetime` at most. Refuses a session that has
    /// reached its longest lifetime, and one that has ended.
    pub(in crate::usecases) async fn extend_session(
        &self,
        upload: &Upload,
        lifetime: u32,
    ) -> Result<u32> {
        let mut until = upload.expires_at;
        if (self.url_seconds_until(until)).is_none_or(|left| left < lifetime.div_ceil(2)) {
            until = self.session_end(upload, lifetime);
            let mut connection = self.connection().await?;
            if !uploads::extend(&mut connection, upload.id, until).await? {
                drop(connection);
                let now = self.reload(upload).await?;
                return Err(Refusal::wrong_status(now.id, now.status, Transition::Cancel).into());
            }
        }
        let left = self.url_seconds_until(until);
        let left = left.ok_or_else(|| session_too_old(upload))?;
        Ok(left.min(lifetime))
    }
}

fn session_too_old(upload: &Upload) -> Refusal {
    invalid_status(
        upload,
        "The session has reached its longest lifetime: acknowledge it, or create a new one.",
    )
}

/// The key may belong to another tenant since the upload was created: no URL is signed for it, and
/// no object is created there.
pub(in crate::usecases) fn belongs_to_other_tenant(upload: &Upload) -> Refusal {
    invalid_status(
        upload,
        "The path of this upload now belongs to another tenant: cancel the upload.",
    )
}

fn invalid_status(upload: &Upload, detail: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(Code::InvalidStatus, detail)
    }
}
