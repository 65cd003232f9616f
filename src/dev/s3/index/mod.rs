//! The index: which buckets and objects there are, in redb.
//!
//! Every change is one write transaction. redb runs them one after another, so a precondition that
//! is checked inside is decided for good: of fifty racing `If-None-Match: *` one wins.
//!
//! Commits are `Durability::Immediate`. `None` would not even survive a `kill -9`, as redb keeps such
//! commits in memory. With the fsync of the body and its folder a small PUT costs three; a debug
//! build was measured at 300 PUTs a second from one client and 700 to 1,100 from sixteen, 140 while
//! others kept the disk busy. Enough for one developer; tests turn the fsync off, see `Unsynced`.

use std::path::Path;

use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction,
};

use super::bodies::BodyId;
use super::condition::Condition;
use super::errors::Fault;
use super::object::Object;

mod buckets;
mod page;
mod parts;
mod unsynced;
mod uploads;

pub(super) use page::{Page, Position, Query};
use unsynced::Unsynced;
pub(super) use uploads::UploadsQuery;

/// Bucket to the milliseconds since 1970 of its making.
const BUCKETS: TableDefinition<'_, &str, u64> = TableDefinition::new("buckets");
/// Bucket and key to the record. The key is bytes: they order as S3 lists, and a page can seek
/// past all keys with a prefix, to a place that is no UTF-8 itself.
const OBJECTS: TableDefinition<'_, (&str, &[u8]), &[u8]> = TableDefinition::new("objects");
/// The bodies in use, of objects and of parts, so that the sweep at the start needs no memory.
const BODIES: TableDefinition<'_, u128, ()> = TableDefinition::new("bodies");
/// Counters, by name.
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
const SEQUENCE: &str = "sequence";

/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The open index.
pub(super) struct Index {
    db: Database,
}

/// A committed change.
#[derive(Debug)]
pub(super) struct Change {
    /// Grows with every change of the store.
    pub sequence: u64,
    /// The bodies that the change left without an object.
    pub orphans: Vec<BodyId>,
}

impl Index {
    /// Without `fsync` a change survives the process, but not a power cut.
    pub(super) fn open(path: &Path, fsync: bool) -> Result<Self, Fault> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let db = match fsync {
            true => builder.create(path)?,
            false => builder.create_with_backend(Unsynced::open(path)?)?,
        };
        let tx = db.begin_write()?;
        tx.open_table(BUCKETS)?;
        tx.open_table(OBJECTS)?;
        tx.open_table(BODIES)?;
        tx.open_table(COUNTERS)?;
        uploads::create_tables(&tx)?;
        tx.commit()?;
        Ok(Self { db })
    }

    /// # Errors
    /// [`Fault::NoSuchBucket`].
    pub(super) fn find(&self, bucket: &str, key: &str) -> Result<Option<Object>, Fault> {
        let tx = self.db.begin_read()?;
        let row = tx.open_table(OBJECTS)?.get((bucket, key.as_bytes()))?;
        match row {
            Some(row) => Ok(Some(serde_json::from_slice(row.value())?)),
            None => self.check_bucket(bucket).map(|()| None),
        }
    }

    /// # Errors
    /// [`Fault::NoSuchBucket`], [`Fault::NoSuchKey`].
    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<Object, Fault> {
        self.find(bucket, key)?.ok_or(Fault::NoSuchKey)
    }

    /// Makes or replaces an object, when the condition holds of what is there at that moment.
    pub(super) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: &Object,
        condition: &Condition,
    ) -> Result<Change, Fault> {
        let tx = self.db.begin_write()?;
        let change = replace(&tx, bucket, key, object, condition)?;
        tx.commit()?;
        Ok(change)
    }

    /// Removes an object, when the condition holds. `None`: there was none.
    pub(super) fn delete(
        &self,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<Option<Change>, Fault> {
        let tx = self.db.begin_write()?;
        let change = {
            if tx.open_table(BUCKETS)?.get(bucket)?.is_none() {
                return Err(Fault::NoSuchBucket);
            }
            let mut objects = tx.open_table(OBJECTS)?;
            let present = read(&objects, bucket, key)?;
            condition.check(present.as_ref())?;
            let Some(old) = present else { return Ok(None) };
            objects.remove((bucket, key.as_bytes()))?;
            tx.open_table(BODIES)?.remove(old.body.as_u128())?;
            Change {
                sequence: next_sequence(&tx)?,
                orphans: vec![old.body],
            }
        };
        tx.commit()?;
        Ok(Some(change))
    }

    /// Whether some object or part has this body.
    pub(super) fn uses_body(&self, id: u128) -> Result<bool, Fault> {
        let table = self.db.begin_read()?.open_table(BODIES)?;
        Ok(table.get(id)?.is_some())
    }

    /// One page of a listing; see [`Query`].
    pub(super) fn page(&self, query: &Query<'_>) -> Result<Page, Fault> {
        self.check_bucket(query.bucket)?;
        page::read(&self.db.begin_read()?.open_table(OBJECTS)?, query)
    }
}

type Objects<'tx> = redb::Table<'tx, (&'static str, &'static [u8]), &'static [u8]>;

fn read(objects: &Objects<'_>, bucket: &str, key: &str) -> Result<Option<Object>, Fault> {
    let row = objects.get((bucket, key.as_bytes()))?;
    Ok(row
        .map(|row| serde_json::from_slice(row.value()))
        .transpose()?)
}

/// The swap of an object inside a transaction, when the condition holds.
fn replace(
    tx: &WriteTransaction,
    bucket: &str,
    key: &str,
    object: &Object,
    condition: &Condition,
) -> Result<Change, Fault> {
    let record = serde_json::to_vec(object)?;
    if tx.open_table(BUCKETS)?.get(bucket)?.is_none() {
        return Err(Fault::NoSuchBucket);
    }
    let mut objects = tx.open_table(OBJECTS)?;
    let present = read(&objects, bucket, key)?;
    condition.check(present.as_ref())?;
    objects.insert((bucket, key.as_bytes()), record.as_slice())?;
    let mut bodies = tx.open_table(BODIES)?;
    bodies.insert(object.body.as_u128(), ())?;
    if let Some(old) = &present {
        bodies.remove(old.body.as_u128())?;
    }
    Ok(Change {
        sequence: next_sequence(tx)?,
        orphans: present.into_iter().map(|old| old.body).collect(),
    })
}

fn next_sequence(tx: &WriteTransaction) -> Result<u64, Fault> {
    let mut counters = tx.open_table(COUNTERS)?;
    let next = counters
        .get(SEQUENCE)?
        .map_or(0, |row| row.value())
        .saturating_add(1);
    counters.insert(SEQUENCE, next)?;
    Ok(next)
}
