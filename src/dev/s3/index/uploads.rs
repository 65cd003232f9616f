//! The multipart uploads in the index.

use std::collections::BTreeMap;

use redb::{ReadableDatabase as _, ReadableTable as _, WriteTransaction};
use uuid::Uuid;

use super::super::bodies::BodyId;
use super::super::condition::Condition;
use super::super::errors::StoreError;
use super::super::multipart::{Part, Upload, UploadKey};
use super::super::object::Object;
use super::database::Index;
use super::objects::{Change, replace};
use super::parts;
use super::tables::{BODIES, BUCKETS, PARTS, UPLOADS};

/// The number of a part that the client named, and the record with which its bytes were read.
type PlannedPart<'a> = (u16, &'a Part);

/// The parameters of ListMultipartUploads.
pub(in crate::dev::s3) struct UploadsQuery<'a> {
    pub bucket: &'a str,
    /// The prefix of the keys to list; may be empty.
    pub prefix: &'a str,
    /// The position after which to list: a key, and optionally the id of an upload of that key.
    pub after: Option<(&'a str, Option<Uuid>)>,
    pub max: usize,
}

impl Index {
    pub(in crate::dev::s3) fn create_upload(
        &self,
        upload_key: &UploadKey,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let record = serde_json::to_vec(upload)?;
        let tx = self.db.begin_write()?;
        if tx
            .open_table(BUCKETS)?
            .get(upload_key.bucket.as_str())?
            .is_none()
        {
            return Err(StoreError::NoSuchBucket);
        }
        tx.open_table(UPLOADS)?
            .insert(upload_key.row(), record.as_slice())?;
        tx.commit()?;
        Ok(())
    }

    /// # Errors
    /// [`StoreError::NoSuchBucket`], [`StoreError::NoSuchUpload`].
    pub(in crate::dev::s3) fn upload(&self, upload_key: &UploadKey) -> Result<Upload, StoreError> {
        self.check_bucket(&upload_key.bucket)?;
        let table = self.db.begin_read()?.open_table(UPLOADS)?;
        let row = table
            .get(upload_key.row())?
            .ok_or(StoreError::NoSuchUpload)?;
        Ok(serde_json::from_slice(row.value())?)
    }

    /// Removes an upload. Returns the bodies of its parts, which nothing uses any more.
    pub(in crate::dev::s3) fn abort_upload(
        &self,
        upload_key: &UploadKey,
    ) -> Result<Vec<BodyId>, StoreError> {
        self.check_bucket(&upload_key.bucket)?;
        let tx = self.db.begin_write()?;
        let orphans = remove_upload(&tx, upload_key)?;
        tx.commit()?;
        Ok(orphans)
    }

    /// Creates the object and removes the upload, if the condition holds. Returns `None` and changes
    /// nothing if a planned part was replaced in the meantime.
    pub(in crate::dev::s3) fn complete_upload<'a>(
        &self,
        upload_key: &UploadKey,
        planned: impl Iterator<Item = PlannedPart<'a>>,
        object: &Object,
        condition: &Condition,
    ) -> Result<Option<Change>, StoreError> {
        let tx = self.db.begin_write()?;
        if tx.open_table(UPLOADS)?.get(upload_key.row())?.is_none() {
            return Err(StoreError::NoSuchUpload);
        }
        let present = parts::all(&tx.open_table(PARTS)?, upload_key.id)?;
        for (number, part) in planned {
            if present.get(&number) != Some(part) {
                return Ok(None);
            }
        }
        let mut change = replace(&tx, &upload_key.bucket, &upload_key.key, object, condition)?;
        change.orphans.extend(remove_upload(&tx, upload_key)?);
        tx.commit()?;
        Ok(Some(change))
    }

    /// Returns one page of uploads, and whether there are more.
    pub(in crate::dev::s3) fn uploads(
        &self,
        query: &UploadsQuery<'_>,
    ) -> Result<(Vec<(UploadKey, Upload)>, bool), StoreError> {
        self.check_bucket(query.bucket)?;
        let table = self.db.begin_read()?.open_table(UPLOADS)?;
        let (key, id) = query.first_row();
        let mut page = Vec::new();
        if query.max == 0 {
            return Ok((page, false));
        }
        for row in table.range((query.bucket, key.as_slice(), id)..)? {
            let (row_key, record) = row?;
            let (bucket, key, id) = row_key.value();
            if bucket != query.bucket || !key.starts_with(query.prefix.as_bytes()) {
                break;
            }
            if page.len() >= query.max {
                return Ok((page, true));
            }
            let upload_key = UploadKey {
                bucket: bucket.to_owned(),
                key: String::from_utf8_lossy(key).into_owned(),
                id: Uuid::from_u128(id),
            };
            page.push((upload_key, serde_json::from_slice(record.value())?));
        }
        Ok((page, false))
    }

    /// Returns an upload and all its parts, from one snapshot.
    pub(in crate::dev::s3) fn upload_with_parts(
        &self,
        upload_key: &UploadKey,
    ) -> Result<(Upload, BTreeMap<u16, Part>), StoreError> {
        self.check_bucket(&upload_key.bucket)?;
        let tx = self.db.begin_read()?;
        let uploads = tx.open_table(UPLOADS)?;
        let row = uploads
            .get(upload_key.row())?
            .ok_or(StoreError::NoSuchUpload)?;
        let upload = serde_json::from_slice(row.value())?;
        Ok((upload, parts::all(&tx.open_table(PARTS)?, upload_key.id)?))
    }
}

impl UploadsQuery<'_> {
    /// Returns the smallest row key with which the page may start.
    fn first_row(&self) -> (Vec<u8>, u128) {
        let after = match self.after {
            None => (Vec::new(), 0),
            Some((key, None)) => ([key.as_bytes(), b"\0"].concat(), 0),
            Some((key, Some(id))) => (key.as_bytes().to_vec(), id.as_u128().saturating_add(1)),
        };
        after.max((self.prefix.as_bytes().to_vec(), 0))
    }
}

impl UploadKey {
    pub(super) fn row(&self) -> (&str, &[u8], u128) {
        (&self.bucket, self.key.as_bytes(), self.id.as_u128())
    }
}

/// Removes an upload and its parts from the index.
fn remove_upload(tx: &WriteTransaction, upload_key: &UploadKey) -> Result<Vec<BodyId>, StoreError> {
    if tx.open_table(UPLOADS)?.remove(upload_key.row())?.is_none() {
        return Err(StoreError::NoSuchUpload);
    }
    let (mut rows, mut bodies) = (tx.open_table(PARTS)?, tx.open_table(BODIES)?);
    let removed = parts::all(&rows, upload_key.id)?;
    for (number, part) in &removed {
        rows.remove((upload_key.id.as_u128(), *number))?;
        bodies.remove(part.body.as_u128())?;
    }
    Ok(removed.into_values().map(|part| part.body).collect())
}
