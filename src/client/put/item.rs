//! One file to be a dataset.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::slice::Opened;
use super::stamp::Stamp;
use crate::client::error::{Error, Result};

/// One file to be a dataset.
#[derive(Clone, Debug)]
pub(in crate::client) struct Item {
    pub(in crate::client) file: PathBuf,
    /// Where to, with a leading slash.
    pub(in crate::client) path: String,
    pub(in crate::client) stamp: Stamp,
    /// Whether it may replace what stands at the path, whatever the options say.
    pub(in crate::client) replaces: bool,
}

impl Item {
    /// Opens the file.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it is no longer the file whose stamp was taken: a session would
    /// promise another one.
    pub(super) fn open(&self) -> Result<Arc<Opened>> {
        let name = self.file.clone();
        let file = File::open(&name)
            .map_err(|error| Error::local(format!("cannot read {}", name.display()), error))?;
        let opened = Opened { file, name };
        match opened.is_unchanged(&self.stamp)? {
            true => Ok(Arc::new(opened)),
            false => Err(opened.changed()),
        }
    }
}
