//! Turns the files and folders of the command line into single uploads.

use std::fs;
use std::path::{Path, PathBuf};

use futures::future::Either;
use futures::stream::{self, Stream, StreamExt as _};

use super::item::Item;
use super::stamp::Stamp;
use crate::client::error::{Error, Result};
use crate::client::walk::{self, Links, Local, SkippedEntry, Walk};

/// What the command line names.
#[derive(Debug)]
pub(super) enum Sources {
    /// Standard input, uploaded to this path.
    Stdin(String),
    /// Files and folders.
    Files(Vec<Source>),
}

/// One file or folder of the command line.
#[derive(Debug)]
pub(super) enum Source {
    File(Item),
    /// A folder. Its files go below the path `base`, which does not end with a slash.
    Folder {
        folder: PathBuf,
        base: String,
    },
}

impl Sources {
    /// Parses the names, the last of which is the path if there is more than one. As with `cp`, a
    /// path that ends with a slash is a folder to upload into; for a single file or folder, any
    /// other path is its new name.
    ///
    /// # Errors
    /// Fails before anything is sent: if a name cannot be read, or if two files would have the same
    /// path.
    pub(super) fn of(names: &[String]) -> Result<Self> {
        let (names, to) = match names {
            [only] => (std::slice::from_ref(only), None),
            [names @ .., to] => (names, Some(path_of(to)?)),
            [] => return Err(Error::settings("nothing to upload")),
        };
        if names.iter().any(|name| name == "-") {
            return match (names, to) {
                ([_], Some(to)) if !to.ends_with('/') => Ok(Self::Stdin(to)),
                ([_], _) => Err(Error::settings(
                    "standard input has no name: give the full path, as in `put - /data/x.csv`",
                )),
                _ => Err(Error::settings(
                    "standard input cannot be combined with files",
                )),
            };
        }
        if let Some(to) = to.as_deref()
            && names.len() > 1
            && !to.ends_with('/')
        {
            return Err(Error::settings(format!(
                "several files need a folder: end the path with a slash, as in {to}/"
            )));
        }
        let sources = names
            .iter()
            .map(|name| source(Path::new(name), to.as_deref()));
        let sources: Vec<Source> = sources.collect::<Result<_>>()?;
        for (index, one) in sources.iter().enumerate() {
            for other in sources.iter().skip(index.saturating_add(1)) {
                ensure_distinct_paths(one, other)?;
            }
        }
        Ok(Self::Files(sources))
    }
}

impl Source {
    /// The files, one after the other, as they are found.
    pub(super) fn items(self) -> impl Stream<Item = Result<Item, SkippedEntry>> {
        match self {
            Self::File(item) => Either::Left(stream::iter([Ok(item)])),
            Self::Folder { folder, base } => {
                let files = walk::stream(&folder, Links::Follow);
                Either::Right(files.map(move |found| Ok(item(found?, &base))))
            }
        }
    }

    /// The number of files, and their total size in bytes.
    pub(super) fn count(&self) -> (u64, u64) {
        match self {
            Self::File(item) => (1, item.stamp.size),
            Self::Folder { folder, .. } => Walk::new(folder, Links::Follow)
                .flatten()
                .fold((0, 0), |(files, bytes), local| {
                    (files + 1, bytes.saturating_add(local.metadata.len()))
                }),
        }
    }

    /// The local name.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::File(item) => &item.file,
            Self::Folder { folder, .. } => folder,
        }
    }

    fn base(&self) -> &str {
        match self {
            Self::File(item) => &item.path,
            Self::Folder { base, .. } => base,
        }
    }

    /// The file that would be uploaded to this path.
    fn file_for(&self, path: &str) -> Option<PathBuf> {
        let rest = path.strip_prefix(self.base())?;
        match self {
            Self::File(item) => rest.is_empty().then(|| item.file.clone()),
            Self::Folder { folder, .. } => {
                let file = folder.join(rest.strip_prefix('/')?);
                file.is_file().then_some(file)
            }
        }
    }
}

/// The upload of a file below a folder.
fn item(local: Local, base: &str) -> Item {
    Item {
        path: format!("{base}/{}", local.relative_path),
        stamp: Stamp::of(&local.metadata),
        file: local.file,
        replaces: false,
    }
}

/// Ensures that no two files have the same path.
fn ensure_distinct_paths(one: &Source, other: &Source) -> Result<()> {
    let (inner, outer) = match one.base().len() > other.base().len() {
        true => (one, other),
        false => (other, one),
    };
    // The paths can only overlap if one base path starts with the other.
    if !inner.base().starts_with(outer.base()) {
        return Ok(());
    }
    let meets = |file: &Path, path: &str| match outer.file_for(path) {
        Some(twice) => {
            let (file, twice) = (file.display(), twice.display());
            let what = format!("{file} and {twice} would both be uploaded to {path}");
            Err(Error::settings(what))
        }
        None => Ok(()),
    };
    match inner {
        Source::File(item) => meets(&item.file, &item.path),
        Source::Folder { folder, base } => Walk::new(folder, Links::Follow)
            .flatten()
            .try_for_each(|local| meets(&local.file, &format!("{base}/{}", local.relative_path))),
    }
}

/// Interprets the last name as a path of the broker. Rejects an existing file: `put *.csv` without
/// a path would take the last file for the path, and silently not upload it.
fn path_of(name: &str) -> Result<String> {
    if name.starts_with('/') {
        return Ok(name.to_owned());
    }
    if name == "-" || Path::new(name).is_file() {
        return Err(Error::settings(format!(
            "the last argument is the path to upload to, but {name} is a local file: write /{name} if \
             it is the path, or add the path, as in `put … {name} /`"
        )));
    }
    Ok(format!("/{name}"))
}

fn source(name: &Path, to: Option<&str>) -> Result<Source> {
    let unreadable = |error| Error::local(format!("cannot read {}", name.display()), error);
    let about = fs::metadata(name).map_err(unreadable)?;
    let base = match to {
        Some(to) if !to.ends_with('/') => to.to_owned(),
        _ => format!("{}{}", to.unwrap_or("/"), own_name(name)?),
    };
    if about.is_dir() {
        return Ok(Source::Folder {
            folder: name.to_owned(),
            base: base.trim_end_matches('/').to_owned(),
        });
    }
    if !about.is_file() {
        return Err(Error::settings(format!(
            "{0} is not a regular file: pipe it with `upload-broker put - PATH < {0}`",
            name.display()
        )));
    }
    if base.ends_with('/') {
        return Err(Error::settings(format!(
            "{} has no file name",
            name.display()
        )));
    }
    Ok(Source::File(Item {
        file: name.to_owned(),
        path: base,
        stamp: Stamp::of(&about),
        replaces: false,
    }))
}

/// The name of a file or folder; `.` and `..` are resolved.
fn own_name(name: &Path) -> Result<String> {
    let resolved = match name.file_name() {
        Some(own) => own.to_owned(),
        None => {
            let whole = fs::canonicalize(name)
                .map_err(|error| Error::local(format!("cannot read {}", name.display()), error))?;
            whole.file_name().unwrap_or_default().to_owned()
        }
    };
    resolved.into_string().map_err(|_| {
        let name = name.display();
        Error::settings(format!("the name of {name} is not UTF-8: rename it"))
    })
}
