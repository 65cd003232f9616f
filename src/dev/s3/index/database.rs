//! The open database of the index.

use std::path::Path;

use redb::Database;

use super::super::errors::StoreError;
use super::tables;
use super::unsynced::Unsynced;

/// The size of redb's cache. Its default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The open index.
pub(in crate::dev::s3) struct Index {
    pub(super) db: Database,
}

impl Index {
    /// Opens the index, and creates it if it does not exist. Without `fsync`, a change survives the death
    /// of the process but not a power cut.
    pub(in crate::dev::s3) fn open(path: &Path, fsync: bool) -> Result<Self, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let db = match fsync {
            true => builder.create(path)?,
            false => builder.create_with_backend(Unsynced::open(path)?)?,
        };
        let tx = db.begin_write()?;
        tables::create_all(&tx)?;
        tx.commit()?;
        Ok(Self { db })
    }
}
