//! Creates under an idempotency key: a repeated request makes nothing new.
//!
//! The key is reserved and the rows are written in one transaction. A second caller with the same
//! key waits for the commit of the first one, and then gets its uploads; where the first one was
//! refused, or its process died, the key is free again.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::allowance;
use crate::domain::bounds::TokenAllowances;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::idempotency::{self, Request, Reservation as KeyHolder};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// How long a key is kept at least; it is kept for as long as one of its uploads is Pending.
pub(in crate::usecases) const KEPT: TimeDelta = TimeDelta::hours(24);

/// An idempotency key, and what was asked for under it.
#[derive(Clone, Debug)]
pub(in crate::usecases) struct Reservation {
    key: String,
    /// SHA-256 of the request.
    hash: [u8; 32],
    /// Whether the key stands for several uploads, each with its place in the request.
    is_batch: bool,
}

/// A row under a key.
pub(in crate::usecases) enum Reserved {
    /// This call wrote it.
    Written(Box<Upload>),
    /// An earlier request with the same key wrote this one.
    Earlier(Uuid),
}

impl Reservation {
    /// Of a request for one upload.
    pub(in crate::usecases) fn of_one(key: &str, request: &impl Serialize) -> Result<Self> {
        Self::of(key, request, false)
    }

    /// Of a request for a batch of uploads.
    pub(in crate::usecases) fn of_batch(key: &str, request: &impl Serialize) -> Result<Self> {
        Self::of(key, request, true)
    }

    /// The hash is one of the values, not of their spelling: white space and the order of members do
    /// not make another request.
    fn of(key: &str, request: &impl Serialize, is_batch: bool) -> Result<Self> {
        let text = serde_json::to_vec(request).map_err(|cause| Error::Internal(cause.into()))?;
        Ok(Self {
            key: key.to_owned(),
            hash: Sha256::digest(text).into(),
            is_batch,
        })
    }

    fn request<'a>(&'a self, tenant: &'a str) -> Request<'a> {
        Request {
            tenant,
            key: &self.key,
            hash: self.hash,
        }
    }

    /// The uploads of an earlier request, by their places in it. Refused where that was another
    /// request.
    async fn earlier(
        &self,
        connection: &mut Connection,
        tenant: &str,
        holder: Option<KeyHolder>,
    ) -> Result<BTreeMap<usize, Uuid>> {
        match holder {
            Some(KeyHolder::Existing {
                upload_id,
                same_request: true,
            }) if !self.is_batch => Ok(BTreeMap::from([(0, upload_id)])),
            Some(KeyHolder::Existing {
                same_request: true, ..
            }) => Ok(idempotency::batch_entries(connection, &self.request(tenant)).await?),
            Some(KeyHolder::Existing { upload_id, .. }) => Err(key_reused(upload_id).into()),
            Some(KeyHolder::New) | None => Ok(BTreeMap::new()),
        }
    }
}

fn key_reused(upload_id: Uuid) -> Refusal {
    Refusal {
        upload_id: Some(upload_id),
        ..Refusal::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key was sent with another body before.",
        )
    }
}

/// Hides which upload used the key before from a caller that may not see all uploads of its tenant.
pub(in crate::usecases) fn hide_earlier_upload(principal: &Principal, error: Error) -> Error {
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

impl Broker {
    /// The uploads that an earlier request with the key made, by their places in it. It says
    /// nothing of a moment later. Refused where that was another request.
    pub(in crate::usecases) async fn find_earlier(
        &self,
        tenant: &str,
        reservation: &Reservation,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<usize, Uuid>> {
        let request = reservation.request(tenant);
        let mut connection = self.connection().await?;
        let holder = idempotency::find_reservation(&mut connection, &request, now - KEPT).await?;
        reservation.earlier(&mut connection, tenant, holder).await
    }

    /// Reserves the key and writes the rows, all of one tenant and each with its place in the
    /// request, except those that an earlier request wrote. The results are in the order of the
    /// rows.
    pub(in crate::usecases) async fn insert_reserved(
        &self,
        reservation: &Reservation,
        rows: Vec<(usize, Upload)>,
        allowances: Option<&TokenAllowances>,
    ) -> Result<Vec<Result<Reserved>>> {
        let Some((_, first)) = rows.first() else {
            return Ok(Vec::new());
        };
        let _permit = self.connections.permit(&first.tenant).await?;
        let mut connection = self.connection().await?;
        connection
            .transaction(async |connection| insert(connection, reservation, rows, allowances).await)
            .await
    }
}

async fn insert(
    connection: &mut Connection,
    reservation: &Reservation,
    rows: Vec<(usize, Upload)>,
    allowances: Option<&TokenAllowances>,
) -> Result<Vec<Result<Reserved>>> {
    let (places, rows): (Vec<usize>, Vec<Upload>) = rows.into_iter().unzip();
    let Some((tenant, first, now)) =
        (rows.first()).map(|row| (row.tenant.clone(), row.id, row.created_at))
    else {
        return Ok(Vec::new());
    };
    let request = reservation.request(&tenant);
    let holder = idempotency::reserve_key(connection, &request, first, now, now - KEPT).await?;
    let is_new = holder == KeyHolder::New;
    if is_new && reservation.is_batch {
        idempotency::delete_batch_entries(connection, &request).await?;
    }
    let earlier = reservation
        .earlier(connection, &tenant, Some(holder))
        .await?;
    let earlier: Vec<Option<Uuid>> = (places.iter())
        .map(|place| earlier.get(place).copied())
        .collect();
    // Rows that an earlier request wrote are not written again.
    let new: Vec<Upload> = (rows.into_iter().zip(&earlier))
        .filter(|(_, earlier)| earlier.is_none())
        .map(|(row, _)| row)
        .collect();
    let refusals = allowance::insert(connection, &new, allowances).await?;
    let mut new = new.into_iter().zip(refusals);
    let mut written = Vec::new();
    let mut results = Vec::with_capacity(places.len());
    for (place, earlier) in places.into_iter().zip(earlier) {
        results.push(match earlier {
            Some(id) => Ok(Reserved::Earlier(id)),
            None => match new.next() {
                Some((row, None)) => {
                    written.push((place, row.id));
                    Ok(Reserved::Written(Box::new(row)))
                }
                Some((_, Some(refusal))) => Err(refusal.into()),
                None => Err(Error::Internal("a row has no result".into())),
            },
        });
    }
    match written.first() {
        // The key stands for an upload that exists.
        Some((_, id)) if is_new && *id != first => {
            idempotency::set_upload(connection, &request, *id).await?;
        }
        None if is_new => idempotency::release_key(connection, &request).await?,
        _ => {}
    }
    if reservation.is_batch {
        idempotency::save_batch_entries(connection, &request, &written).await?;
    }
    Ok(results)
}
