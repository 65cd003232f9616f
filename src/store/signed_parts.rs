//! The table `signed_parts`: the parts that URLs were signed for.
//!
//! Rows exist while their upload is Pending; a trigger deletes them with the transition that ends
//! this. There are at most 10,000 for one upload.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::columns::{each, try_each};
use super::schema::{signed_parts, uploads};
use super::{Connection, Result};
use crate::domain::status::Status;

/// A part that a URL was signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPart {
    /// The part number, 1 to 10,000.
    pub number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The raw checksum of its bytes, if one was signed.
    pub checksum: Option<Vec<u8>>,
}

/// How many bytes of an upload count against the quota so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignedTotal {
    /// The total size of the signed parts in bytes.
    pub sum: u64,
    /// The size of the object in bytes, if an acknowledge has stated it; otherwise 0.
    pub size: u64,
}

/// Locks a Pending upload until the end of the transaction. Returns `None` if it is not Pending.
///
/// If the usage of its tenant is locked too, that lock must be taken first.
pub async fn lock_upload(
    connection: &mut Connection,
    upload_id: Uuid,
) -> Result<Option<SignedTotal>> {
    let locked: Option<(Option<i64>, Option<i64>)> = uploads::table
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
    Ok(locked.map(|(sum, size)| SignedTotal {
        sum: bytes(sum),
        size: bytes(size),
    }))
}

/// Returns the signed sizes, by part number, of those of `numbers` that were signed before.
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

/// Saves signed parts. Of a part that was signed before, the larger size and the newer checksum are
/// stored. The caller has locked the upload.
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

/// Stores the total size of the signed parts of an upload in bytes. The caller has locked the
/// upload.
pub async fn set_signed_size(connection: &mut Connection, upload_id: Uuid, sum: u64) -> Result<()> {
    let sum = i64::try_from(sum).unwrap_or(i64::MAX);
    diesel::update(uploads::table.find(upload_id))
        .set(uploads::signed_size.eq(sum))
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns the signed raw checksums by part number.
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
