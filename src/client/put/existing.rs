//! Files whose bytes stand at their paths already.

use super::Put;
use super::done::Done;
use super::item::Item;
use crate::client::compare::{Likeness, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;

impl Put<'_> {
    /// With `--skip-existing`: the dataset at the file's path, where it has the file's bytes.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it has others, and must not be replaced.
    pub(super) async fn skipped(&self, item: &Item) -> Result<Option<Done>> {
        if !self.options.skip_existing() {
            return Ok(None);
        }
        let dataset = match self.context.api.dataset(&item.path).await {
            Ok(dataset) => dataset,
            Err(error) if error.exit() == Exit::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let likeness = compare(&item.file, dataset.size, dataset.checksum.as_ref()).await?;
        let what = match likeness {
            Likeness::Same => return Ok(Some(Done::same(dataset))),
            _ if self.options.replaces(item) => return Ok(None),
            Likeness::Different => "a dataset with other bytes stands there",
            Likeness::Unknown => "a dataset stands there whose bytes cannot be compared",
        };
        let path = printable(&item.path);
        let what = format!("{path}: {what}; give --overwrite to replace it");
        Err(Error::Conflict(what))
    }

    /// After the broker refused a file because a dataset stands at its path: whether that has the
    /// file's bytes, so that nothing is left to do.
    ///
    /// # Errors
    /// The refusal itself where it has others, or where it cannot be compared.
    pub(super) async fn same_as_existing(&self, item: &Item, refusal: Error) -> Result<Done> {
        if self.options.replaces(item) {
            return Err(refusal);
        }
        let Ok(dataset) = self.context.api.dataset(&item.path).await else {
            return Err(refusal);
        };
        match compare(&item.file, dataset.size, dataset.checksum.as_ref()).await {
            Ok(Likeness::Same) => Ok(Done::same(dataset)),
            _ => Err(refusal),
        }
    }
}
