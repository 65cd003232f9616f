//! The buckets in the index.

use redb::{ReadableDatabase as _, ReadableTable as _};

use super::super::errors::Fault;
use super::{BUCKETS, Index};

impl Index {
    /// False when it was there already.
    pub(in crate::dev::s3) fn create_bucket(
        &self,
        bucket: &str,
        made_ms: u64,
    ) -> Result<bool, Fault> {
        let tx = self.db.begin_write()?;
        let new = {
            let mut buckets = tx.open_table(BUCKETS)?;
            let new = buckets.get(bucket)?.is_none();
            if new {
                buckets.insert(bucket, made_ms)?;
            }
            new
        };
        tx.commit()?;
        Ok(new)
    }

    /// All buckets by name, with the milliseconds of their making.
    pub(in crate::dev::s3) fn buckets(&self) -> Result<Vec<(String, u64)>, Fault> {
        let table = self.db.begin_read()?.open_table(BUCKETS)?;
        let rows = table.range::<&str>(..)?;
        rows.map(|row| {
            row.map(|(name, made)| (name.value().to_owned(), made.value()))
                .map_err(Fault::from)
        })
        .collect()
    }

    /// # Errors
    /// [`Fault::NoSuchBucket`].
    pub(in crate::dev::s3) fn check_bucket(&self, bucket: &str) -> Result<(), Fault> {
        let table = self.db.begin_read()?.open_table(BUCKETS)?;
        table.get(bucket)?.map(|_| ()).ok_or(Fault::NoSuchBucket)
    }
}
