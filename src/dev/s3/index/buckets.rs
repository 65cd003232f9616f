//! The buckets in the index.

use redb::{ReadableDatabase as _, ReadableTable as _};

use super::super::errors::StoreError;
use super::database::Index;
use super::tables::BUCKETS;

impl Index {
    /// Creates a bucket. Returns `false` if it already existed.
    pub(in crate::dev::s3) fn create_bucket(
        &self,
        bucket: &str,
        created_ms: u64,
    ) -> Result<bool, StoreError> {
        let tx = self.db.begin_write()?;
        let new = {
            let mut buckets = tx.open_table(BUCKETS)?;
            let new = buckets.get(bucket)?.is_none();
            if new {
                buckets.insert(bucket, created_ms)?;
            }
            new
        };
        tx.commit()?;
        Ok(new)
    }

    /// Returns all buckets in the order of their names, with the time of their creation in milliseconds
    /// since 1970.
    pub(in crate::dev::s3) fn buckets(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let table = self.db.begin_read()?.open_table(BUCKETS)?;
        let rows = table.range::<&str>(..)?;
        rows.map(|row| {
            row.map(|(name, created)| (name.value().to_owned(), created.value()))
                .map_err(StoreError::from)
        })
        .collect()
    }

    /// # Errors
    /// [`StoreError::NoSuchBucket`].
    pub(in crate::dev::s3) fn check_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        let table = self.db.begin_read()?.open_table(BUCKETS)?;
        table
            .get(bucket)?
            .map(|_| ())
            .ok_or(StoreError::NoSuchBucket)
    }
}
