//! ListParts: the uploaded parts of a multipart upload.

use aws_sdk_s3::types::Part;
use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};

use super::error::{invalid_response, is_no_such_upload};
use crate::domain::checksum::{Algorithm, Checksum};
use crate::objects::head::timestamp;
use crate::objects::store::{ObjectStore, StoreError, failed};

/// An uploaded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The part number, 1 to 10,000.
    pub number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 writes it.
    pub etag: String,
    /// The checksum of the bytes of the part, if the store has one.
    pub checksum: Option<Checksum>,
}

/// A page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartsPage {
    /// The parts, in the order of their numbers.
    pub parts: Vec<UploadedPart>,
    /// When the last of them was uploaded.
    pub last_modified: Option<DateTime<Utc>>,
    /// The part number after which the next page starts; `None` on the last page.
    pub next: Option<u32>,
}

impl ObjectStore {
    /// Returns a page of at most 1,000 parts, after the part with the number `after` (0 for the
    /// first page). `None` if the multipart upload does not exist.
    ///
    /// # Errors
    /// The store does not answer, refuses the request, or answers with an invalid page.
    pub async fn list_parts(
        &self,
        key: &str,
        upload_id: &str,
        after: u32,
    ) -> Result<Option<PartsPage>, StoreError> {
        let marker = (after > 0).then(|| after.to_string());
        let call = (self.client.list_parts())
            .bucket(self.bucket())
            .key(key)
            .upload_id(upload_id)
            .set_part_number_marker(marker);
        let output = match self.timed("ListParts", call.send()).await {
            Ok(output) => output,
            Err(error) if is_no_such_upload(&error) => return Ok(None),
            Err(error) => return Err(failed("ListParts", error)),
        };
        let listed = output.parts.unwrap_or_default();
        let times = listed.iter().filter_map(|part| part.last_modified.as_ref());
        let last_modified = times.map(timestamp).max();
        let parts = listed.into_iter().map(uploaded);
        let parts: Option<Vec<_>> = parts.collect();
        let parts =
            parts.ok_or_else(|| invalid_response("ListParts", "a part has no number or size"))?;
        let next = match output.is_truncated {
            Some(true) => {
                let next = output.next_part_number_marker.as_deref().unwrap_or("");
                // An invalid position would skip parts, or repeat the same page for ever.
                let next = next.parse().ok().filter(|next| *next > after);
                Some(next.ok_or_else(|| {
                    invalid_response("ListParts", "the next page does not follow")
                })?)
            }
            _ => None,
        };
        Ok(Some(PartsPage {
            parts,
            last_modified,
            next,
        }))
    }

    /// Streams all pages of parts. There are no pages if the multipart upload does not exist; if it
    /// ends between two pages, the stream ends.
    pub fn parts_pages<'a>(
        &'a self,
        key: &'a str,
        upload_id: &'a str,
    ) -> impl Stream<Item = Result<Vec<UploadedPart>, StoreError>> + 'a {
        stream::try_unfold(Some(0), move |after| async move {
            let Some(after) = after else { return Ok(None) };
            let page = self.list_parts(key, upload_id, after).await?;
            Ok(page.map(|page| (page.parts, page.next)))
        })
    }

    /// Returns when the last part was uploaded; `None` if there is no part or no such multipart
    /// upload. Stops listing as soon as a part is found that was uploaded after `enough`.
    pub async fn last_part_at(
        &self,
        key: &str,
        upload_id: &str,
        enough: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let (mut last, mut after) = (None, 0);
        while let Some(page) = self.list_parts(key, upload_id, after).await? {
            last = last.max(page.last_modified);
            match page.next {
                Some(next) if last.is_none_or(|last| last <= enough) => after = next,
                _ => break,
            }
        }
        Ok(last)
    }

    /// Returns all parts, in the order of their numbers; `None` if the multipart upload does not
    /// exist. 10,000 parts take about a megabyte of memory.
    pub async fn all_parts(
        &self,
        key: &str,
        upload_id: &str,
    ) -> Result<Option<Vec<UploadedPart>>, StoreError> {
        let (mut parts, mut after) = (Vec::new(), 0);
        loop {
            let Some(page) = self.list_parts(key, upload_id, after).await? else {
                return Ok(None);
            };
            parts.extend(page.parts);
            let Some(next) = page.next else {
                return Ok(Some(parts));
            };
            after = next;
        }
    }
}

fn uploaded(part: Part) -> Option<UploadedPart> {
    Some(UploadedPart {
        number: part.part_number?.try_into().ok()?,
        size: part.size?.try_into().ok()?,
        checksum: checksum(&part),
        etag: part.e_tag?,
    })
}

fn checksum(part: &Part) -> Option<Checksum> {
    [
        (Algorithm::Sha256, &part.checksum_sha256),
        (Algorithm::Sha1, &part.checksum_sha1),
        (Algorithm::Crc64nvme, &part.checksum_crc64_nvme),
        (Algorithm::Crc32c, &part.checksum_crc32_c),
        (Algorithm::Crc32, &part.checksum_crc32),
    ]
    .into_iter()
    .find_map(|(algorithm, value)| Checksum::new(algorithm, value.as_deref()?).ok())
}
