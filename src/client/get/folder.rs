//! `get -r`: downloads every dataset below a path, several at a time.

use std::path::{Path, PathBuf};

use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::arguments::Arguments;
use super::destination::DestinationFolder;
use super::download::{download, report_same};
use super::target::Target;
use crate::client::api::Entry;
use crate::client::compare::{Comparison, compare};
use crate::client::context::Context;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::folder;
use crate::client::s3::S3;

/// Downloads the datasets in the folder and its subfolders. Returns the most severe exit code.
///
/// # Errors
/// [`Error::NotFound`] if there is no dataset.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let folder = folder::normalize(&arguments.path)?;
    let to = match arguments.to.as_deref() {
        Some("-") => {
            let what = "a folder cannot be written to standard output: give a local folder";
            return Err(Error::settings(what));
        }
        Some(to) => PathBuf::from(to),
        None => default_folder(&folder)?,
    };
    let mut entries = Box::pin(context.api.entries_below(&folder).peekable());
    if entries.as_mut().peek().await.is_none() {
        return Err(Error::NotFound(format!(
            "there is no dataset below {folder}"
        )));
    }
    let downloads = Downloads {
        context,
        s3: S3::new()?,
        destination: DestinationFolder::open(&to)?,
        folder: &folder,
        force: arguments.force,
    };
    let ends = entries.map_ok(|entry| downloads.entry(entry));
    let at_once = usize::from(arguments.parallel);
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(at_once));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

/// What all downloads of one command share.
struct Downloads<'a> {
    context: &'a Context,
    s3: S3,
    destination: DestinationFolder,
    folder: &'a str,
    force: bool,
}

impl Downloads<'_> {
    async fn entry(&self, entry: Entry) -> Result<Exit> {
        let output = &self.context.output;
        let path = match entry.address() {
            Ok(path) => path,
            Err(key) => return output.report_failure(key, folder::without_path()),
        };
        match self.dataset(path).await {
            Ok(()) => Ok(Exit::Done),
            Err(error) => output.report_failure(path, error),
        }
    }

    async fn dataset(&self, path: &str) -> Result<()> {
        let file = self
            .destination
            .prepare_file(folder::relative_path(path, self.folder)?)?;
        let detail = self.context.api.dataset(path).await?;
        if file.exists() {
            let what = match compare(&file, detail.size, detail.checksum.as_ref()).await? {
                Comparison::Same => return report_same(self.context, &detail, &file),
                Comparison::Different => "has different bytes",
                Comparison::Unknown => "cannot be compared",
            };
            if !self.force {
                return Err(conflict(&file, what));
            }
        }
        let target = Target::at(file, self.force);
        download(self.context, &self.s3, detail, &target).await
    }
}

fn conflict(file: &Path, what: &str) -> Error {
    let name = file.display();
    let what = format!("{name} already exists and {what}; use --force to replace it");
    Error::Conflict(what)
}

/// The name of the local folder where none is given: the last segment of the path.
fn default_folder(folder: &str) -> Result<PathBuf> {
    match folder.trim_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() => Ok(PathBuf::from(name)),
        _ => Err(Error::settings("give the local folder to download to")),
    }
}
