//! Create under an idempotency key: asking again makes nothing new.
//!
//! The claim of the key and the row are one transaction. A second caller with the same key waits
//! for the first one's commit and then gets its upload; where the first one was refused, or its
//! process died, the key is free again.

use std::slice;
use std::sync::Arc;

use chrono::TimeDelta;
use diesel_async::AsyncConnection as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::bounds::TokenAllowances;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::idempotency::{self, Request, Reservation};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::create::NewUpload;
use crate::usecases::uploads::create::insert::insert;
use crate::usecases::uploads::create::validate::Draft;
use crate::usecases::uploads::read;
use crate::usecases::uploads::session::Session;

/// How long a key is kept at least; as long as its upload is Pending.
pub(in crate::usecases) const KEPT: TimeDelta = TimeDelta::hours(24);

/// An upload session, and whether this call made it.
#[derive(Debug)]
pub enum Created {
    /// This call did.
    New(Session),
    /// An earlier one did, with the same key and the same body.
    Before(Session),
}

/// Makes an upload session, or finds the one that `key` made: within the last 24 hours, or
/// earlier where that is still Pending, and then with a fresh URL. Refused as
/// [`create`](crate::usecases::uploads::create::create) is, and where the key came with another body.
pub async fn create_once(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: NewUpload,
    key: &str,
) -> Result<Created> {
    let hash = hash(&new)?;
    let draft = broker.declare(principal, new, broker.clock.now())?;
    let (this, key) = (Arc::clone(broker), key.to_owned());
    let allowances = principal.bounds.token_allowances.clone();
    let claim = broker
        .to_end(async move {
            this.create_once(&key, hash, draft, allowances.as_deref())
                .await
        })
        .await
        .map_err(|error| untold(principal, error))?;
    match claim {
        Claimed::Ours(session) => Ok(Created::New(*session)),
        Claimed::Before(upload_id) => {
            let session = read::read(broker, principal, upload_id, true).await?;
            Ok(Created::Before(session))
        }
    }
}

/// What a claim came to.
enum Claimed {
    /// The key and the row are ours.
    Ours(Box<Session>),
    /// An earlier call made this one.
    Before(Uuid),
}

fn before(upload_id: Uuid, same_request: bool) -> Result<Claimed> {
    match same_request {
        true => Ok(Claimed::Before(upload_id)),
        false => Err(reused(upload_id).into()),
    }
}

/// Whose key it was is told to those who may see all that the tenant has.
pub(in crate::usecases) fn untold(principal: &Principal, error: Error) -> Error {
    match error {
        Error::Refused(refusal)
            if refusal.code == Code::IdempotencyKeyReused && principal.jail.folder().is_some() =>
        {
            let upload_id = None;
            Error::from(Refusal {
                upload_id,
                ..*refusal
            })
        }
        error => error,
    }
}

pub(in crate::usecases) fn reused(upload_id: Uuid) -> Refusal {
    Refusal {
        upload_id: Some(upload_id),
        ..Refusal::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key came with another body before.",
        )
    }
}

impl Broker {
    async fn create_once(
        &self,
        key: &str,
        hash: [u8; 32],
        draft: Draft,
        allowances: Option<&TokenAllowances>,
    ) -> Result<Claimed> {
        let in_parts = draft.cut.is_some();
        if (in_parts || self.must_check_vacancy(&draft.upload, in_parts).await?)
            && let Some(earlier) = self.earlier(key, hash, &draft.upload).await?
        {
            return earlier;
        }
        if draft.cut.is_some() {
            self.find_room(&draft.upload, allowances).await?;
        }
        let promise = self.promise(draft).await?;
        match self.claim(key, hash, &promise.upload, allowances).await {
            Ok(Reservation::New) => Ok(Claimed::Ours(Box::new(promise.into()))),
            Ok(Reservation::Existing {
                upload_id,
                same_request,
            }) => {
                self.abort(&promise.upload).await;
                before(upload_id, same_request)
            }
            Err(error) => {
                self.take_back(&promise.upload, &error).await;
                Err(error)
            }
        }
    }

    /// What an earlier call made, without anything begun at S3 for it.
    async fn earlier(
        &self,
        key: &str,
        hash: [u8; 32],
        upload: &Upload,
    ) -> Result<Option<Result<Claimed>>> {
        let request = Request {
            tenant: &upload.tenant,
            key,
            hash,
        };
        let mut connection = self.connection().await?;
        let found =
            idempotency::find_reservation(&mut connection, &request, upload.created_at - KEPT)
                .await?;
        Ok(match found {
            Some(Reservation::Existing {
                upload_id,
                same_request,
            }) => Some(before(upload_id, same_request)),
            Some(Reservation::New) | None => None,
        })
    }

    /// Claims the key and writes the row in one transaction.
    pub(in crate::usecases) async fn claim(
        &self,
        key: &str,
        hash: [u8; 32],
        upload: &Upload,
        allowances: Option<&TokenAllowances>,
    ) -> Result<Reservation> {
        let now = upload.created_at;
        let request = Request {
            tenant: &upload.tenant,
            key,
            hash,
        };
        let _lane = self.lane(request.tenant).await?;
        let mut connection = self.connection().await?;
        connection
            .transaction(async |connection| {
                let claim =
                    idempotency::reserve_key(connection, &request, upload.id, now, now - KEPT)
                        .await?;
                if claim == Reservation::New {
                    let refusals = insert(connection, slice::from_ref(upload), allowances).await?;
                    if let Some(refusal) = refusals.into_iter().flatten().next() {
                        return Err(refusal.into());
                    }
                }
                Ok(claim)
            })
            .await
    }
}

/// Of what was asked for, not of how it was spelled: white space and the order of members do not
/// make another request.
pub(in crate::usecases) fn hash(asked: &impl Serialize) -> Result<[u8; 32]> {
    let text = serde_json::to_vec(asked).map_err(|cause| Error::Internal(cause.into()))?;
    Ok(Sha256::digest(text).into())
}
