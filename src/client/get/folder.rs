//! `get -r`: every dataset below a path, several at a time.

use std::path::{Path, PathBuf};

use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::Arguments;
use super::one::{download, report_same};
use super::place::Places;
use super::target::Target;
use crate::client::Context;
use crate::client::api::Entry;
use crate::client::compare::{Likeness, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::folder;
use crate::client::s3::S3;

/// Downloads what is in the folder and below. Ends as the worst of the datasets.
///
/// # Errors
/// [`Error::NotFound`] where nothing is there.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let folder = folder::of(&arguments.path)?;
    let to = match arguments.to.as_deref() {
        Some("-") => {
            let what = "a folder does not go to standard output: say which folder it goes to";
            return Err(Error::settings(what));
        }
        Some(to) => PathBuf::from(to),
        None => own_name(&folder)?,
    };
    let mut entries = Box::pin(context.api.below(&folder).peekable());
    if entries.as_mut().peek().await.is_none() {
        return Err(Error::NotFound(format!("no dataset is below {folder}")));
    }
    let gets = Gets {
        context,
        s3: S3::new()?,
        places: Places::below(&to)?,
        folder: &folder,
        force: arguments.force,
    };
    let ends = entries.map_ok(|entry| gets.entry(entry));
    let at_once = usize::from(arguments.parallel);
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(at_once));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

/// What every download of one command works with.
struct Gets<'a> {
    context: &'a Context,
    s3: S3,
    places: Places,
    folder: &'a str,
    force: bool,
}

impl Gets<'_> {
    async fn entry(&self, entry: Entry) -> Result<Exit> {
        let output = &self.context.output;
        let path = match entry.address() {
            Ok(path) => path,
            Err(key) => return output.failed(key, folder::without_path()),
        };
        match self.dataset(path).await {
            Ok(()) => Ok(Exit::Done),
            Err(error) => output.failed(path, error),
        }
    }

    async fn dataset(&self, path: &str) -> Result<()> {
        let file = self.places.claim(folder::below(path, self.folder)?)?;
        let detail = self.context.api.dataset(path).await?;
        if file.exists() {
            let what = match compare(&file, detail.size, detail.checksum.as_ref()).await? {
                Likeness::Same => return report_same(self.context, &detail, &file),
                Likeness::Different => "has other bytes",
                Likeness::Unknown => "cannot be compared",
            };
            if !self.force {
                return Err(in_the_way(&file, what));
            }
        }
        let target = Target::at(file, self.force);
        download(self.context, &self.s3, detail, &target).await
    }
}

fn in_the_way(file: &Path, what: &str) -> Error {
    let name = file.display();
    let what = format!("{name} is there already and {what}; give --force to replace it");
    Error::Conflict(what)
}

/// What the local folder is called where no other name is given.
fn own_name(folder: &str) -> Result<PathBuf> {
    match folder.trim_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() => Ok(PathBuf::from(name)),
        _ => Err(Error::settings("say which folder everything goes to")),
    }
}
