//! Finds the parts of a file that the store already has.
//!
//! A part counts only if its bytes are still those of the file, so each one is read and hashed
//! again. The result is compared with the store's own checksum of the part. If the store has none,
//! it is compared with the checksum that was recorded when the part with this ETag was sent. Any
//! other part is sent again, also if neither checksum is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::plan::PartPlan;
use super::slice::OpenFile;
use super::state::{SentPart, UploadState};
use super::uploader::Uploader;
use crate::client::api::wire::{Checksum, UploadedPart};
use crate::client::error::Result;

/// The parts that the store has, with the checksum of their bytes in the file.
pub(super) type UploadedParts = BTreeMap<u32, Checksum>;

impl Uploader<'_> {
    pub(super) async fn find_uploaded_parts(
        &self,
        id: Uuid,
        plan: &PartPlan,
        file: &Arc<OpenFile>,
        state: &UploadState,
    ) -> Result<UploadedParts> {
        let listed = self.context.api.parts(id).await?;
        let mut uploaded = UploadedParts::new();
        for part in listed.uploaded {
            let Some(slice) = plan.slice(file, part.part_number) else {
                continue;
            };
            if slice.size() != part.size {
                continue;
            }
            let local = slice.checksum(plan.comparison_algorithm()).await?;
            if has_bytes(&part, &local, state.parts.get(&part.part_number)) {
                uploaded.insert(part.part_number, local);
            }
        }
        Ok(uploaded)
    }
}

/// Whether the store's part has the bytes with this checksum.
fn has_bytes(part: &UploadedPart, local: &Checksum, sent: Option<&SentPart>) -> bool {
    match &part.checksum {
        Some(listed) if listed.algorithm == local.algorithm => listed == local,
        _ => sent
            .is_some_and(|sent| sent.etag.as_ref() == Some(&part.etag) && sent.checksum == *local),
    }
}
