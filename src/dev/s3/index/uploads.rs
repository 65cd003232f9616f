//! The multipart uploads in the index.

use std::collections::BTreeMap;

use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::super::bodies::BodyId;
use super::super::condition::Condition;
use super::super::errors::Fault;
use super::super::multipart::{Part, Place, Upload};
use super::super::object::Object;
use super::{BODIES, BUCKETS, Change, Index, replace};

/// Bucket, key and id to the record: in the order of ListMultipartUploads.
pub(super) const UPLOADS: TableDefinition<'_, (&str, &[u8], u128), &[u8]> =
    TableDefinition::new("uploads");
/// Upload and number to the part's record.
pub(super) const PARTS: TableDefinition<'_, (u128, u16), &[u8]> = TableDefinition::new("parts");

/// A part that the client named, and the record that its bytes were read by.
type Planned<'a> = (u16, &'a Part);

/// What ListMultipartUploads asks for.
pub(in crate::dev::s3) struct UploadsQuery<'a> {
    pub bucket: &'a str,
    /// Only keys that start so; may be empty.
    pub prefix: &'a str,
    /// Uploads after this key; of this key, those after the id, if there is one.
    pub after: Option<(&'a str, Option<Uuid>)>,
    pub max: usize,
}

pub(super) fn create_tables(tx: &WriteTransaction) -> Result<(), Fault> {
    tx.open_table(UPLOADS)?;
    tx.open_table(PARTS)?;
    Ok(())
}

impl Index {
    pub(in crate::dev::s3) fn create_upload(
        &self,
        place: &Place,
        upload: &Upload,
    ) -> Result<(), Fault> {
        let record = serde_json::to_vec(upload)?;
        let tx = self.db.begin_write()?;
        if tx
            .open_table(BUCKETS)?
            .get(place.bucket.as_str())?
            .is_none()
        {
            return Err(Fault::NoSuchBucket);
        }
        tx.open_table(UPLOADS)?
            .insert(place.row(), record.as_slice())?;
        tx.commit()?;
        Ok(())
    }

    /// # Errors
    /// [`Fault::NoSuchBucket`], [`Fault::NoSuchUpload`].
    pub(in crate::dev::s3) fn upload(&self, place: &Place) -> Result<Upload, Fault> {
        self.check_bucket(&place.bucket)?;
        let table = self.db.begin_read()?.open_table(UPLOADS)?;
        let row = table.get(place.row())?.ok_or(Fault::NoSuchUpload)?;
        Ok(serde_json::from_slice(row.value())?)
    }

    /// Removes the upload; the bodies of its parts have no owner then.
    pub(in crate::dev::s3) fn abort_upload(&self, place: &Place) -> Result<Vec<BodyId>, Fault> {
        self.check_bucket(&place.bucket)?;
        let tx = self.db.begin_write()?;
        let orphans = forget(&tx, place)?;
        tx.commit()?;
        Ok(orphans)
    }

    /// Puts the object in place and forgets the upload, when the condition holds at that moment.
    /// `None`, and nothing done, when a planned part is not the one that it was.
    pub(in crate::dev::s3) fn complete_upload<'a>(
        &self,
        place: &Place,
        planned: impl Iterator<Item = Planned<'a>>,
        object: &Object,
        condition: &Condition,
    ) -> Result<Option<Change>, Fault> {
        let tx = self.db.begin_write()?;
        if tx.open_table(UPLOADS)?.get(place.row())?.is_none() {
            return Err(Fault::NoSuchUpload);
        }
        let present = super::parts::all(&tx.open_table(PARTS)?, place.id)?;
        for (number, part) in planned {
            if present.get(&number) != Some(part) {
                return Ok(None);
            }
        }
        let mut change = replace(&tx, &place.bucket, &place.key, object, condition)?;
        change.orphans.extend(forget(&tx, place)?);
        tx.commit()?;
        Ok(Some(change))
    }

    /// One page, and whether there are more.
    pub(in crate::dev::s3) fn uploads(
        &self,
        query: &UploadsQuery<'_>,
    ) -> Result<(Vec<(Place, Upload)>, bool), Fault> {
        self.check_bucket(query.bucket)?;
        let table = self.db.begin_read()?.open_table(UPLOADS)?;
        let (key, id) = query.first();
        let mut page = Vec::new();
        if query.max == 0 {
            return Ok((page, false));
        }
        for row in table.range((query.bucket, key.as_slice(), id)..)? {
            let (place, record) = row?;
            let (bucket, key, id) = place.value();
            if bucket != query.bucket || !key.starts_with(query.prefix.as_bytes()) {
                break;
            }
            if page.len() >= query.max {
                return Ok((page, true));
            }
            let place = Place {
                bucket: bucket.to_owned(),
                key: String::from_utf8_lossy(key).into_owned(),
                id: Uuid::from_u128(id),
            };
            page.push((place, serde_json::from_slice(record.value())?));
        }
        Ok((page, false))
    }

    /// The upload and what it has; of one moment.
    pub(in crate::dev::s3) fn upload_with_parts(
        &self,
        place: &Place,
    ) -> Result<(Upload, BTreeMap<u16, Part>), Fault> {
        self.check_bucket(&place.bucket)?;
        let tx = self.db.begin_read()?;
        let uploads = tx.open_table(UPLOADS)?;
        let row = uploads.get(place.row())?.ok_or(Fault::NoSuchUpload)?;
        let upload = serde_json::from_slice(row.value())?;
        Ok((upload, super::parts::all(&tx.open_table(PARTS)?, place.id)?))
    }
}

impl UploadsQuery<'_> {
    /// The least row that the page may begin with.
    fn first(&self) -> (Vec<u8>, u128) {
        let after = match self.after {
            None => (Vec::new(), 0),
            Some((key, None)) => ([key.as_bytes(), b"\0"].concat(), 0),
            Some((key, Some(id))) => (key.as_bytes().to_vec(), id.as_u128().saturating_add(1)),
        };
        after.max((self.prefix.as_bytes().to_vec(), 0))
    }
}

impl Place {
    pub(super) fn row(&self) -> (&str, &[u8], u128) {
        (&self.bucket, self.key.as_bytes(), self.id.as_u128())
    }
}

/// Takes an upload and its parts out of the index.
fn forget(tx: &WriteTransaction, place: &Place) -> Result<Vec<BodyId>, Fault> {
    if tx.open_table(UPLOADS)?.remove(place.row())?.is_none() {
        return Err(Fault::NoSuchUpload);
    }
    let (mut parts, mut bodies) = (tx.open_table(PARTS)?, tx.open_table(BODIES)?);
    let gone = super::parts::all(&parts, place.id)?;
    for (number, part) in &gone {
        parts.remove((place.id.as_u128(), *number))?;
        bodies.remove(part.body.as_u128())?;
    }
    Ok(gone.into_values().map(|part| part.body).collect())
}
