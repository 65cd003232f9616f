//! What is asked for with a file that has no session yet.

use super::Put;
use super::item::Item;
use super::slice::Slice;
use crate::client::api::wire::{Checksum, NewUpload};
use crate::client::checksum::Algorithm;
use crate::client::error::Result;

/// Files up to so many bytes are read once and kept in memory until they are sent: a group of them
/// takes a few MiB.
const IN_MEMORY: u64 = 64 * 1024;

/// A session to be asked for.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) body: NewUpload,
    /// None of a file that goes in parts.
    pub(super) whole: Option<Whole>,
}

/// A file that goes in one request.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) slice: Slice,
    pub(super) checksum: Checksum,
}

impl Put<'_> {
    /// What to ask for: a small file is read for its checksum first, which its URL then demands.
    pub(super) async fn draft(&self, item: &Item) -> Result<Draft> {
        let size = item.stamp.size;
        if self.options.in_parts(size) {
            return Ok(Draft {
                body: self.with_overwrite(item, self.options.parts(&item.path, Some(size))),
                whole: None,
            });
        }
        let whole = self.read_whole(item).await?;
        let checksum = self.options.algorithm().map(|_| whole.checksum.clone());
        Ok(Draft {
            body: self.with_overwrite(item, self.options.whole(&item.path, size, checksum)),
            whole: Some(whole),
        })
    }

    fn with_overwrite(&self, item: &Item, body: NewUpload) -> NewUpload {
        NewUpload {
            overwrite: body.overwrite || item.replaces,
            ..body
        }
    }

    /// Reads all of a file, and ensures that it did not change meanwhile.
    pub(super) async fn read_whole(&self, item: &Item) -> Result<Whole> {
        let file = item.open()?;
        let mut slice = Slice::of(&file, item.stamp.size);
        if item.stamp.size <= IN_MEMORY {
            slice = slice.in_memory().await?;
        }
        let algorithm = self.options.algorithm().unwrap_or(Algorithm::Crc64nvme);
        let checksum = slice.checksum(algorithm).await?;
        match file.is_unchanged(&item.stamp)? {
            true => Ok(Whole { slice, checksum }),
            false => Err(file.changed()),
        }
    }
}
