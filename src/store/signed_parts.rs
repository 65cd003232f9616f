//! The table `signed_parts`: which parts URLs were signed for.
//!
//! Its rows are there while their upload is Pending; a trigger removes them with the arrow that ends
//! that. At most 10,000 for one upload.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::columns::{each, try_each};
use super::schema::{signed_parts, uploads};
use super::{Connection, Result};
use crate::domain::status::Status;

/// A part that a URL is signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPart {
    /// 1 to 10,000.
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// The raw checksum of its bytes.
    pub checksum: Option<Vec<u8>>,
}

/// The sum that was signed for an upload so far, in bytes, beside the size that was named since,
/// held against others until the end of the transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignedTotal {
    /// Of the parts.
    pub sum: u64,
    /// Of the whole, where an acknowledge has named it.
    pub size: u64,
}

/// Holds a Pending upload until the end of the transaction; `None` where it is not Pending. Where a
/// quota is asked too, its lock comes first.
pub async fn lock_upload(
    connection: &mut Connection,
    upload_id: Uuid,
) -> Result<Option<SignedTotal>> {
    let held: Option<(Option<i64>, Option<i64>)> = uploads::table
        .filter(uploads::id.eq(upload_id))
        .filter(uploads::status.eq(Status::Pending.as_str()))
        .select((uploads::signed_size, uploads::size))
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    let bytes = |size: Option<i64>| {
        size.and_then(|size| u64::try_from(size).ok())
            .unwrap_or_default()
    };
    Ok(held.map(|(sum, size)| SignedTotal {
        sum: bytes(sum),
        size: bytes(size),
    }))
}

/// The sizes that were signed of those of `numbers` that were signed before.
pub async fn sizes(
    connection: &mut Connection,
    upload_id: Uuid,
    numbers: impl Iterator<Item = u32>,
) -> Result<HashMap<u32, u64>> {
    let numbers: Vec<i32> = numbers
        .filter_map(|number| number.try_into().ok())
        .collect();
    let rows: Vec<(i32, i64)> = signed_parts::table
        .filter(signed_parts::upload_id.eq(upload_id))
        .filter(signed_parts::number.eq_any(numbers))
        .select((signed_parts::number, signed_parts::size))
        .load(connection)
        .await?;
    let row = |(number, size): (i32, i64)| Some((number.try_into().ok()?, size.try_into().ok()?));
    Ok(rows.into_iter().filter_map(row).collect())
}

/// Keeps parts: of one that was kept before, the larger size and the newer checksum. The caller
/// holds the upload.
pub async fn save(
    connection: &mut Connection,
    upload_id: Uuid,
    parts: &[SignedPart],
) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO signed_parts (upload_id, number, size, checksum) \
         SELECT $1, number, size, checksum FROM unnest($2, $3, $4) AS part (number, size, checksum) \
         ON CONFLICT (upload_id, number) DO UPDATE \
         SET size = greatest(signed_parts.size, excluded.size), checksum = excluded.checksum",
    )
    .bind::<SqlUuid, _>(upload_id)
    .bind::<Array<Integer>, _>(try_each(parts, |part| i32::try_from(part.number))?)
    .bind::<Array<BigInt>, _>(try_each(parts, |part| i64::try_from(part.size))?)
    .bind::<Array<Nullable<Binary>>, _>(each(parts, |part| part.checksum.as_deref()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the sum of what was signed for an upload, in bytes. The caller holds it.
pub async fn set_signed_size(connection: &mut Connection, upload_id: Uuid, sum: u64) -> Result<()> {
    let sum = i64::try_from(sum).unwrap_or(i64::MAX);
    diesel::update(uploads::table.find(upload_id))
        .set(uploads::signed_size.eq(sum))
        .execute(connection)
        .await?;
    Ok(())
}

/// The raw checksums that were signed, by the numbers of their parts.
pub async fn checksums(
    connection: &mut Connection,
    upload_id: Uuid,
) -> Result<HashMap<u32, Vec<u8>>> {
    let rows: Vec<(i32, Option<Vec<u8>>)> = signed_parts::table
        .filter(signed_parts::upload_id.eq(upload_id))
        .filter(signed_parts::checksum.is_not_null())
        .select((signed_parts::number, signed_parts::checksum))
        .load(connection)
        .await?;
    let row =
        |(number, checksum): (i32, Option<Vec<u8>>)| Some((number.try_into().ok()?, checksum?));
    Ok(rows.into_iter().filter_map(row).collect())
}
