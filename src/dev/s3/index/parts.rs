//! The parts of multipart uploads in the index.

use std::collections::BTreeMap;

use redb::ReadableTable;
use uuid::Uuid;

use super::super::bodies::BodyId;
use super::super::errors::Fault;
use super::super::multipart::{Part, Place, Upload};
use super::uploads::{PARTS, UPLOADS};
use super::{BODIES, Index};

/// Part of an upload's parts, by number.
pub(in crate::dev::s3) struct PartsPage {
    pub upload: Upload,
    pub parts: Vec<(u16, Part)>,
    pub more: bool,
}

impl Index {
    /// Makes or replaces a part. Returns the body that is replaced.
    ///
    /// # Errors
    /// [`Fault::NoSuchUpload`]: it ended while the bytes arrived.
    pub(in crate::dev::s3) fn put_part(
        &self,
        place: &Place,
        number: u16,
        part: &Part,
    ) -> Result<Option<BodyId>, Fault> {
        let record = serde_json::to_vec(part)?;
        let row = (place.id.as_u128(), number);
        let tx = self.db.begin_write()?;
        if tx.open_table(UPLOADS)?.get(place.row())?.is_none() {
            return Err(Fault::NoSuchUpload);
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

    /// The parts with a number above `after`, `max` of them at most.
    pub(in crate::dev::s3) fn parts(
        &self,
        place: &Place,
        after: u16,
        max: usize,
    ) -> Result<PartsPage, Fault> {
        let (upload, mut parts) = self.upload_with_parts(place)?;
        parts.retain(|number, _| *number > after);
        let more = max > 0 && parts.len() > max;
        Ok(PartsPage {
            upload,
            parts: parts.into_iter().take(max).collect(),
            more,
        })
    }
}

/// All parts of an upload: ten thousand at most.
pub(super) fn all(
    table: &impl ReadableTable<(u128, u16), &'static [u8]>,
    upload: Uuid,
) -> Result<BTreeMap<u16, Part>, Fault> {
    let id = upload.as_u128();
    let mut parts = BTreeMap::new();
    for row in table.range((id, 0)..=(id, u16::MAX))? {
        let (place, record) = row?;
        parts.insert(place.value().1, serde_json::from_slice(record.value())?);
    }
    Ok(parts)
}
