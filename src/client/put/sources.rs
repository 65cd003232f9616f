//! What is uploaded, and where to: the command line's files and folders as single datasets.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::client::error::{Error, Result};
use crate::client::output::Output;

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Sources {
    /// Standard input, to this path.
    Stdin(String),
    /// Files, each to a path of its own.
    Files(Vec<Item>),
}

/// One file to be a dataset.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) file: PathBuf,
    /// Where to, with a leading slash.
    pub(super) path: String,
    pub(super) stamp: Stamp,
}

/// What a changed file is noticed by. Size and modification time can be kept or set by whoever
/// replaces the file; its inode and the time of the inode's last change cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Bytes.
    pub(super) size: u64,
    /// When it was last written: seconds of Unix time, and nanoseconds.
    modified: (i64, i64),
    /// When its inode last changed: seconds of Unix time, and nanoseconds.
    changed: (i64, i64),
    device: u64,
    inode: u64,
}

impl Stamp {
    pub(super) fn of(about: &Metadata) -> Self {
        Self {
            size: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
            device: about.dev(),
            inode: about.ino(),
        }
    }
}

impl Sources {
    /// Reads the names, the last of which is the path where there is more than one. As with `cp`,
    /// a path that ends with a slash is a folder to put things into; of a single file or folder,
    /// another path is its new name.
    ///
    /// # Errors
    /// What cannot be read, and what would go to the same path: before anything is sent.
    pub(super) fn of(names: &[String], output: &Output) -> Result<Self> {
        let (names, to) = match names {
            [only] => (std::slice::from_ref(only), None),
            [names @ .., to] => (names, Some(path_of(to)?)),
            [] => return Err(Error::settings("there is nothing to upload")),
        };
        if names.iter().any(|name| name == "-") {
            return match (names, to) {
                ([_], Some(to)) if !to.ends_with('/') => Ok(Self::Stdin(to)),
                ([_], _) => Err(Error::settings(
                    "standard input has no name: give the whole path, as in `put - /data/x.csv`",
                )),
                _ => Err(Error::settings("standard input goes alone, without files")),
            };
        }
        if let Some(to) = to.as_deref()
            && names.len() > 1
            && !to.ends_with('/')
        {
            return Err(Error::settings(format!(
                "several files go into a folder: the path ends with a slash, as in {to}/"
            )));
        }
        let mut items = Vec::new();
        for name in names {
            gather(Path::new(name), to.as_deref(), output, &mut items)?;
        }
        let mut seen = HashSet::new();
        if let Some(twice) = items.iter().find(|item| !seen.insert(&item.path)) {
            let (file, path) = (twice.file.display(), &twice.path);
            return Err(Error::settings(format!(
                "{file} and another file would both go to {path}"
            )));
        }
        Ok(Self::Files(items))
    }
}

/// The last name, as a path of the broker. `put *.csv` without a path would take the last file for
/// one, and silently leave it out.
fn path_of(name: &str) -> Result<String> {
    if name.starts_with('/') {
        return Ok(name.to_owned());
    }
    if name == "-" || Path::new(name).is_file() {
        return Err(Error::settings(format!(
            "the last name is the path to upload to, and {name} is a file here: write /{name} if \
             it is the path, or add the path after it, as in `put … {name} /`"
        )));
    }
    Ok(format!("/{name}"))
}

fn gather(name: &Path, to: Option<&str>, output: &Output, items: &mut Vec<Item>) -> Result<()> {
    let unreadable = |error| Error::local(format!("cannot read {}", name.display()), error);
    let about = fs::metadata(name).map_err(unreadable)?;
    let base = match to {
        Some(to) if !to.ends_with('/') => to.to_owned(),
        _ => format!("{}{}", to.unwrap_or("/"), own_name(name)?),
    };
    if about.is_dir() {
        return gather_folder(name, base.trim_end_matches('/'), output, items);
    }
    if !about.is_file() {
        return Err(Error::settings(format!(
            "{0} is no regular file; pipe it: `upload-broker put - PATH < {0}`",
            name.display()
        )));
    }
    if base.ends_with('/') {
        return Err(Error::settings(format!("{} has no name", name.display())));
    }
    items.push(Item {
        file: name.to_owned(),
        path: base,
        stamp: Stamp::of(&about),
    });
    Ok(())
}

/// What a file or folder is called; `.` and `..` by what they are.
fn own_name(name: &Path) -> Result<String> {
    let resolved = match name.file_name() {
        Some(own) => own.to_owned(),
        None => {
            let whole = fs::canonicalize(name)
                .map_err(|error| Error::local(format!("cannot read {}", name.display()), error))?;
            whole.file_name().unwrap_or_default().to_owned()
        }
    };
    resolved.into_string().map_err(|_| not_text(name))
}

/// Every file below a folder, in order. Links are followed.
fn gather_folder(folder: &Path, base: &str, output: &Output, items: &mut Vec<Item>) -> Result<()> {
    let before = items.len();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::local("cannot read the folder", error.into()))?;
        let name = entry.path();
        if entry.file_type().is_dir() {
            continue;
        }
        if !entry.file_type().is_file() {
            output.warn(&format!("{} is no regular file: left out", name.display()));
            continue;
        }
        let below = name.strip_prefix(folder).unwrap_or(name);
        let below = below.to_str().ok_or_else(|| not_text(name))?;
        let about = entry
            .metadata()
            .map_err(|error| Error::local("cannot read the folder", error.into()))?;
        items.push(Item {
            file: name.to_owned(),
            path: format!("{base}/{below}"),
            stamp: Stamp::of(&about),
        });
    }
    if items.len() == before {
        output.note(&format!("{} has no files", folder.display()));
    }
    Ok(())
}

fn not_text(name: &Path) -> Error {
    let name = name.display();
    Error::settings(format!("the name of {name} is not UTF-8: rename it"))
}
