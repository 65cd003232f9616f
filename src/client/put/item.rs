//! A file that is to be uploaded.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::slice::OpenFile;
use super::stamp::Stamp;
use crate::client::error::{Error, Result};

/// A file that is to be uploaded.
#[derive(Clone, Debug)]
pub(in crate::client) struct Item {
    pub(in crate::client) file: PathBuf,
    /// The path of the dataset, with a leading slash.
    pub(in crate::client) path: String,
    pub(in crate::client) stamp: Stamp,
    /// Whether it may replace an existing dataset, regardless of the options.
    pub(in crate::client) replaces: bool,
}

impl Item {
    /// Opens the file.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the file is no longer the one whose stamp was taken: the session
    /// would announce different bytes.
    pub(super) fn open(&self) -> Result<Arc<OpenFile>> {
        let name = self.file.clone();
        let file = File::open(&name)
            .map_err(|error| Error::local(format!("cannot read {}", name.display()), error))?;
        let opened = OpenFile { file, name };
        match opened.is_unchanged(&self.stamp)? {
            true => Ok(Arc::new(opened)),
            false => Err(opened.changed()),
        }
    }
}
