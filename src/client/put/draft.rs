//! Prepares the session request of a file.

use super::item::Item;
use super::slice::Slice;
use super::uploader::Uploader;
use crate::client::api::wire::{Checksum, NewUpload};
use crate::client::checksum::Algorithm;
use crate::client::error::Result;

/// Files up to this size in bytes are read once and kept in memory until they are sent. A batch of
/// them takes a few MiB.
const MAX_IN_MEMORY: u64 = 64 * 1024;

/// A session request that has not been sent yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) body: NewUpload,
    /// The bytes of a file that is sent in one request; `None` for a file that is sent in parts.
    pub(super) whole: Option<Whole>,
}

/// A file that is sent in one request.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) slice: Slice,
    pub(super) checksum: Checksum,
}

impl Uploader<'_> {
    /// Prepares the session request. A small file is read first, because its URL is signed with its
    /// checksum.
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

    /// Reads a whole file, and ensures that it did not change meanwhile.
    pub(super) async fn read_whole(&self, item: &Item) -> Result<Whole> {
        let file = item.open()?;
        let mut slice = Slice::of(&file, item.stamp.size);
        if item.stamp.size <= MAX_IN_MEMORY {
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
