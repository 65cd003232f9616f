//! Which parts of a file the store has already.
//!
//! A part counts where it is the one that was sent: by what is remembered of it, or, where a run
//! died before it could remember, by its checksum. Any other, that somebody else sent or that is
//! of another size, is sent again.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Put;
use super::parts::Plan;
use super::slice::{Opened, Slice};
use super::state::State;
use crate::client::api::wire::{Checksum, UploadedPart};
use crate::client::error::Result;

/// The parts that are there, with their checksums where the session has some.
pub(super) type There = BTreeMap<u32, Option<Checksum>>;

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
            if let Some(checksum) = self.recognize(plan, &slice, &part, state).await? {
                there.insert(part.part_number, checksum);
            }
        }
        Ok(there)
    }

    /// The part's checksum, where it is ours.
    async fn recognize(
        &self,
        plan: &Plan,
        slice: &Slice,
        part: &UploadedPart,
        state: &State,
    ) -> Result<Option<Option<Checksum>>> {
        let remembered = state.parts.get(&part.part_number);
        let Some(algorithm) = plan.algorithm else {
            // The proof of the whole decides.
            let other = remembered.is_some_and(|sent| sent.etag.as_ref() != Some(&part.etag));
            return Ok((!other).then_some(None));
        };
        if let Some(sent) = remembered
            && sent.etag.as_ref() == Some(&part.etag)
            && let Some(checksum) = &sent.checksum
            && checksum.algorithm == algorithm.as_str()
        {
            return Ok(Some(Some(checksum.clone())));
        }
        let own = slice.checksum(algorithm).await?;
        // A store that returns no checksums of parts is believed until the proof of the whole,
        // but where something else is known to have been sent.
        let same = match &part.checksum {
            Some(listed) => *listed == own,
            None => remembered.is_none(),
        };
        Ok(same.then_some(Some(own)))
    }
}
