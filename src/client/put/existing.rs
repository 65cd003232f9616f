//! Finds datasets that already have the bytes of a file.

use super::item::Item;
use super::report::Finished;
use super::uploader::Uploader;
use crate::client::compare::{Comparison, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;

impl Uploader<'_> {
    /// With `--skip-existing`: returns the dataset at the file's path if it has the file's bytes.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it has different bytes and must not be replaced.
    pub(super) async fn find_same_dataset(&self, item: &Item) -> Result<Option<Finished>> {
        if !self.options.skip_existing() {
            return Ok(None);
        }
        let dataset = match self.context.api.dataset(&item.path).await {
            Ok(dataset) => dataset,
            Err(error) if error.exit() == Exit::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let comparison = compare(&item.file, dataset.size, dataset.checksum.as_ref()).await?;
        let what = match comparison {
            Comparison::Same => return Ok(Some(Finished::same(dataset))),
            _ if self.options.replaces(item) => return Ok(None),
            Comparison::Different => "a dataset with different bytes exists",
            Comparison::Unknown => "a dataset exists whose bytes cannot be compared",
        };
        let path = printable(&item.path);
        let what = format!("{path}: {what}; use --overwrite to replace it");
        Err(Error::Conflict(what))
    }

    /// Called after the broker rejected a file because a dataset exists at its path. If that
    /// dataset has the bytes of the file, the upload counts as done.
    ///
    /// # Errors
    /// The rejection itself, if the bytes differ or cannot be compared.
    pub(super) async fn same_as_existing(&self, item: &Item, refusal: Error) -> Result<Finished> {
        if self.options.replaces(item) {
            return Err(refusal);
        }
        let Ok(dataset) = self.context.api.dataset(&item.path).await else {
            return Err(refusal);
        };
        match compare(&item.file, dataset.size, dataset.checksum.as_ref()).await {
            Ok(Comparison::Same) => Ok(Finished::same(dataset)),
            _ => Err(refusal),
        }
    }
}
