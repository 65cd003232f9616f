//! Which parts of a file the store has already.
//!
//! A part counts where its bytes are those of the file as it is now: each is read and hashed again.
//! The hash is compared with the store's own checksum of the part, or, where the store has none,
//! with that of the bytes which were sent under the part's ETag. Any other part is sent again, also
//! one of which neither is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Put;
use super::parts::Plan;
use super::slice::Opened;
use super::state::{SentPart, State};
use crate::client::api::wire::{Checksum, UploadedPart};
use crate::client::error::Result;

/// The parts that are there, each with the checksum of its bytes in the file.
pub(super) type There = BTreeMap<u32, Checksum>;

impl Put<'_> {
    pub(super) async fn there(
        &self,
        id: Uuid,
        plan: &Plan,
        file: &Arc<Opened>,
        state: &State,
    ) -> Result<There> {
        let listed = self.context.api.parts(id).await?;
        let mut there = There::new();
        for part in listed.uploaded {
            let Some(slice) = plan.slice(file, part.part_number) else {
                continue;
            };
            if slice.size() != part.size {
                continue;
            }
            let own = slice.checksum(plan.own_algorithm()).await?;
            if holds(&part, &own, state.parts.get(&part.part_number)) {
                there.insert(part.part_number, own);
            }
        }
        Ok(there)
    }
}

/// Whether the store's part has the bytes with this checksum.
fn holds(part: &UploadedPart, own: &Checksum, sent: Option<&SentPart>) -> bool {
    match &part.checksum {
        Some(listed) if listed.algorithm == own.algorithm => listed == own,
        _ => {
            sent.is_some_and(|sent| sent.etag.as_ref() == Some(&part.etag) && sent.checksum == *own)
        }
    }
}
