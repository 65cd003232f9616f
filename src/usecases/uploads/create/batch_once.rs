//! A batch under an idempotency key.
//!
//! The claim of the key, the rows and their places in the batch are one transaction. Asked for
//! again, entries that were made come back as they are, with fresh URLs; those that were refused
//! are tried again, as a single create would be. A batch of which nothing was made holds no key.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::domain::bounds::TokenAllowances;
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::idempotency::{self, Request, Reservation};
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::insert::insert;
use crate::usecases::uploads::create::once::{KEPT, reused};

/// A row of a batch.
pub(in crate::usecases) enum Written {
    /// This call wrote it.
    New(Box<Upload>),
    /// An earlier one did, with the same key and the same batch.
    Before(Uuid),
}

impl Broker {
    /// What the key made before, by the places in the batch: nothing needs to be begun at S3 for
    /// that. Refused where it came with another batch.
    pub(in crate::usecases) async fn made_before(
        &self,
        tenant: &str,
        key: &str,
        hash: [u8; 32],
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<usize, Uuid>> {
        let request = Request { tenant, key, hash };
        let mut connection = self.connection().await?;
        match idempotency::find_reservation(&mut connection, &request, now - KEPT).await? {
            Some(Reservation::Existing {
                same_request: true, ..
            }) => Ok(idempotency::batch_entries(&mut connection, &request).await?),
            Some(Reservation::Existing { upload_id, .. }) => Err(reused(upload_id).into()),
            Some(Reservation::New) | None => Ok(BTreeMap::new()),
        }
    }

    /// Writes the rows, each with its place in the batch, except those that the key made before.
    /// The answers are in the order of the rows.
    pub(in crate::usecases) async fn write_once(
        &self,
        key: &str,
        hash: [u8; 32],
        rows: Vec<(usize, Upload)>,
        allowances: Option<&TokenAllowances>,
    ) -> Result<Vec<Result<Written>>> {
        let Some((_, first)) = rows.first() else {
            return Ok(Vec::new());
        };
        let tenant = first.tenant.clone();
        let request = Request {
            tenant: &tenant,
            key,
            hash,
        };
        let _lane = self.lane(request.tenant).await?;
        let mut connection = self.connection().await?;
        connection
            .transaction(async |connection| write(connection, &request, rows, allowances).await)
            .await
    }
}

async fn write(
    connection: &mut Connection,
    request: &Request<'_>,
    rows: Vec<(usize, Upload)>,
    allowances: Option<&TokenAllowances>,
) -> Result<Vec<Result<Written>>> {
    let (places, rows): (Vec<usize>, Vec<Upload>) = rows.into_iter().unzip();
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let now = first.created_at;
    let made =
        match idempotency::reserve_key(connection, request, first.id, now, now - KEPT).await? {
            Reservation::New => {
                idempotency::delete_batch_entries(connection, request).await?;
                BTreeMap::new()
            }
            Reservation::Existing {
                same_request: true, ..
            } => idempotency::batch_entries(connection, request).await?,
            Reservation::Existing { upload_id, .. } => return Err(reused(upload_id).into()),
        };
    // Those that the key made before need no row.
    let before: Vec<Option<Uuid>> = places
        .iter()
        .map(|place| made.get(place).copied())
        .collect();
    let new = rows.into_iter().zip(&before);
    let new: Vec<Upload> = new
        .filter(|(_, id)| id.is_none())
        .map(|(row, _)| row)
        .collect();
    let refusals = insert(connection, &new, allowances).await?;
    let mut new = new.into_iter().zip(refusals);
    let mut entries = Vec::new();
    let mut answers = Vec::with_capacity(places.len());
    for (place, before) in places.into_iter().zip(before) {
        let answer = match before {
            Some(id) => Ok(Written::Before(id)),
            None => match new.next() {
                Some((row, None)) => {
                    entries.push((place, row.id));
                    Ok(Written::New(Box::new(row)))
                }
                Some((_, Some(refusal))) => Err(refusal.into()),
                None => break,
            },
        };
        answers.push(answer);
    }
    match entries.first() {
        Some((_, id)) if made.is_empty() => {
            idempotency::set_upload(connection, request, *id).await?
        }
        None if made.is_empty() => idempotency::release_key(connection, request).await?,
        _ => {}
    }
    idempotency::save_batch_entries(connection, request, &entries).await?;
    Ok(answers)
}
