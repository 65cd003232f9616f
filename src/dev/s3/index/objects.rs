//! The objects in the index.

use redb::{ReadableDatabase as _, ReadableTable as _, WriteTransaction};

use super::super::bodies::BodyId;
use super::super::condition::Condition;
use super::super::errors::StoreError;
use super::super::object::Object;
use super::database::Index;
use super::page::{self, Page, Query};
use super::tables::{BODIES, BUCKETS, COUNTERS, OBJECTS};

const SEQUENCE: &str = "sequence";

/// A committed change.
#[derive(Debug)]
pub(in crate::dev::s3) struct Change {
    /// Increases with every change of the store.
    pub sequence: u64,
    /// The bodies that no object or part uses any more.
    pub orphans: Vec<BodyId>,
}

impl Index {
    /// # Errors
    /// [`StoreError::NoSuchBucket`].
    pub(in crate::dev::s3) fn find(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Object>, StoreError> {
        let tx = self.db.begin_read()?;
        let row = tx.open_table(OBJECTS)?.get((bucket, key.as_bytes()))?;
        match row {
            Some(row) => Ok(Some(serde_json::from_slice(row.value())?)),
            None => self.check_bucket(bucket).map(|()| None),
        }
    }

    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::NoSuchKey`].
    pub(in crate::dev::s3) fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        self.find(bucket, key)?.ok_or(StoreError::NoSuchKey)
    }

    /// Creates or replaces an object, if the condition holds for the present object.
    pub(in crate::dev::s3) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: &Object,
        condition: &Condition,
    ) -> Result<Change, StoreError> {
        let tx = self.db.begin_write()?;
        let change = replace(&tx, bucket, key, object, condition)?;
        tx.commit()?;
        Ok(change)
    }

    /// Removes an object, if the condition holds. Returns `None` if there was no object.
    pub(in crate::dev::s3) fn delete(
        &self,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<Option<Change>, StoreError> {
        let tx = self.db.begin_write()?;
        let change = {
            if tx.open_table(BUCKETS)?.get(bucket)?.is_none() {
                return Err(StoreError::NoSuchBucket);
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

    /// Returns whether an object or a part has this body.
    pub(in crate::dev::s3) fn uses_body(&self, id: u128) -> Result<bool, StoreError> {
        let table = self.db.begin_read()?.open_table(BODIES)?;
        Ok(table.get(id)?.is_some())
    }

    /// Reads one page of a listing; see [`Query`].
    pub(in crate::dev::s3) fn page(&self, query: &Query<'_>) -> Result<Page, StoreError> {
        self.check_bucket(query.bucket)?;
        page::read(&self.db.begin_read()?.open_table(OBJECTS)?, query)
    }
}

type Objects<'tx> = redb::Table<'tx, (&'static str, &'static [u8]), &'static [u8]>;

fn read(objects: &Objects<'_>, bucket: &str, key: &str) -> Result<Option<Object>, StoreError> {
    let row = objects.get((bucket, key.as_bytes()))?;
    Ok(row
        .map(|row| serde_json::from_slice(row.value()))
        .transpose()?)
}

/// Creates or replaces an object inside a transaction, if the condition holds.
pub(super) fn replace(
    tx: &WriteTransaction,
    bucket: &str,
    key: &str,
    object: &Object,
    condition: &Condition,
) -> Result<Change, StoreError> {
    let record = serde_json::to_vec(object)?;
    if tx.open_table(BUCKETS)?.get(bucket)?.is_none() {
        return Err(StoreError::NoSuchBucket);
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

fn next_sequence(tx: &WriteTransaction) -> Result<u64, StoreError> {
    let mut counters = tx.open_table(COUNTERS)?;
    let next = counters
        .get(SEQUENCE)?
        .map_or(0, |row| row.value())
        .saturating_add(1);
    counters.insert(SEQUENCE, next)?;
    Ok(next)
}
