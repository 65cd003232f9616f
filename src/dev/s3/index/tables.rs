//! The tables of the index.

use redb::{TableDefinition, WriteTransaction};

use super::super::errors::StoreError;

/// Maps a bucket to the time of its creation, in milliseconds since 1970.
pub(super) const BUCKETS: TableDefinition<'_, &str, u64> = TableDefinition::new("buckets");
/// Maps a bucket and a key to the record of an object. The key is stored as bytes: so keys are in the
/// order in which S3 lists them, and a listing can continue after all keys with a prefix, at a position
/// that is not UTF-8 itself.
pub(super) const OBJECTS: TableDefinition<'_, (&str, &[u8]), &[u8]> =
    TableDefinition::new("objects");
/// The bodies of all objects and parts. With this table, the removal of unused bodies at the start needs
/// constant memory.
pub(super) const BODIES: TableDefinition<'_, u128, ()> = TableDefinition::new("bodies");
/// Maps bucket, key and id to the record of an upload, in the order of ListMultipartUploads.
pub(super) const UPLOADS: TableDefinition<'_, (&str, &[u8], u128), &[u8]> =
    TableDefinition::new("uploads");
/// Maps an upload and a part number to the record of the part.
pub(super) const PARTS: TableDefinition<'_, (u128, u16), &[u8]> = TableDefinition::new("parts");
/// Counters, by name.
pub(super) const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");

/// Creates the tables that do not exist yet.
pub(super) fn create_all(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(BUCKETS)?;
    tx.open_table(OBJECTS)?;
    tx.open_table(BODIES)?;
    tx.open_table(UPLOADS)?;
    tx.open_table(PARTS)?;
    tx.open_table(COUNTERS)?;
    Ok(())
}
