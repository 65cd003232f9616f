//! The parts of multipart uploads in the index.

use std::collections::BTreeMap;

use redb::ReadableTable;
use uuid::Uuid;

use super::super::bodies::BodyId;
use super::super::errors::StoreError;
use super::super::multipart::{Part, Upload, UploadKey};
use super::database::Index;
use super::tables::{BODIES, PARTS, UPLOADS};

/// A page of the parts of an upload, in the order of their numbers.
pub(in crate::dev::s3) struct PartsPage {
    pub upload: Upload,
    pub parts: Vec<(u16, Part)>,
    pub more: bool,
}

impl Index {
    /// Creates or replaces a part. Returns the body of the replaced part.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`] if the upload ended while the bytes were received.
    pub(in crate::dev::s3) fn put_part(
        &self,
        upload_key: &UploadKey,
        number: u16,
        part: &Part,
    ) -> Result<Option<BodyId>, StoreError> {
        let record = serde_json::to_vec(part)?;
        let row = (upload_key.id.as_u128(), number);
        let tx = self.db.begin_write()?;
        if tx.open_table(UPLOADS)?.get(upload_key.row())?.is_none() {
            return Err(StoreError::NoSuchUpload);
        }
        let old = {
            let mut parts = tx.open_table(PARTS)?;
            let old = parts.insert(row, record.as_slice())?;
            let old = old.map(|old| serde_json::from_slice::<Part>(old.value()));
            old.transpose()?
        };
        {
            let mut bodies = tx.open_table(BODIES)?;
            bodies.insert(part.body.as_u128(), ())?;
            if let Some(old) = &old {
                bodies.remove(old.body.as_u128())?;
            }
        }
        tx.commit()?;
        Ok(old.map(|old| old.body))
    }

    /// Returns at most `max` parts with a number greater than `after`.
    pub(in crate::dev::s3) fn parts(
        &self,
        upload_key: &UploadKey,
        after: u16,
        max: usize,
    ) -> Result<PartsPage, StoreError> {
        let (upload, mut parts) = self.upload_with_parts(upload_key)?;
        parts.retain(|number, _| *number > after);
        let more = max > 0 && parts.len() > max;
        Ok(PartsPage {
            upload,
            parts: parts.into_iter().take(max).collect(),
            more,
        })
    }
}

/// Returns all parts of an upload, at most ten thousand.
pub(super) fn all(
    table: &impl ReadableTable<(u128, u16), &'static [u8]>,
    upload: Uuid,
) -> Result<BTreeMap<u16, Part>, StoreError> {
    let id = upload.as_u128();
    let mut parts = BTreeMap::new();
    for row in table.range((id, 0)..=(id, u16::MAX))? {
        let (row_key, record) = row?;
        parts.insert(row_key.value().1, serde_json::from_slice(record.value())?);
    }
    Ok(parts)
}
