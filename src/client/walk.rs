//! Walks all files below a folder in the order of their S3 keys, where a folder sorts by its name
//! with a slash appended. So the result can be merged with a listing of the store.
//!
//! Only the names in the folders between the root and the current entry are in memory, however many
//! files there are.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::vec;

use futures::stream::{self, Stream};
use tokio::sync::mpsc;

/// How many entries are read ahead.
const AHEAD: usize = 1_000;

/// A regular file.
#[derive(Debug)]
pub struct Local {
    /// The path of the file.
    pub file: PathBuf,
    /// The path relative to the root, with slashes.
    pub relative_path: String,
    /// The metadata of the file.
    pub metadata: Metadata,
}

/// An entry that was skipped, and why.
#[derive(Clone, Debug)]
pub struct SkippedEntry {
    /// The path of the entry.
    pub file: PathBuf,
    /// The reason, as the end of a sentence that starts with the path.
    pub reason: String,
}

/// How symbolic links are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Their targets are read in their place.
    Follow,
    /// They are ignored.
    Ignore,
}

/// Walks the folder on a separate thread.
pub fn stream(
    root: &Path,
    links: Links,
) -> impl Stream<Item = Result<Local, SkippedEntry>> + use<> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let walk = Walk::new(root, links);
    tokio::task::spawn_blocking(move || {
        for found in walk {
            // The receiver was dropped, so no more entries are needed.
            if sender.blocking_send(found).is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    })
}

/// An iterator over the files below a folder.
#[derive(Debug)]
pub struct Walk {
    links: Links,
    /// The open folders, from the root to the current one.
    levels: Vec<Level>,
    /// The folder to open next; at first the root.
    next: Option<(PathBuf, String)>,
}

#[derive(Debug)]
struct Level {
    folder: PathBuf,
    /// The path relative to the root, with a trailing slash; empty for the root.
    relative_path: String,
    /// Device and inode numbers, to detect cycles.
    identity: (u64, u64),
    names: vec::IntoIter<(OsString, io::Result<bool>)>,
}

impl Walk {
    /// Starts a walk over the files below `root`.
    pub fn new(root: &Path, links: Links) -> Self {
        Self {
            links,
            levels: Vec::new(),
            next: Some((root.to_owned(), String::new())),
        }
    }

    /// Reads the entries of a folder.
    fn open_folder(&mut self, folder: PathBuf, relative_path: String) -> Result<(), SkippedEntry> {
        let fault = |error: io::Error| skipped(&folder, format!("cannot be read: {error}"));
        let metadata = fs::metadata(&folder).map_err(fault)?;
        let identity = (metadata.dev(), metadata.ino());
        if self.levels.iter().any(|level| level.identity == identity) {
            return Err(skipped(&folder, "is a link to one of its parent folders"));
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            if let Some(is_folder) = self.is_folder(&entry) {
                names.push((entry.file_name(), is_folder));
            }
        }
        names.sort_by_cached_key(|(name, is_folder)| {
            let mut key = name.clone().into_vec();
            if matches!(is_folder, Ok(true)) {
                key.push(b'/');
            }
            key
        });
        self.levels.push(Level {
            folder,
            relative_path,
            identity,
            names: names.into_iter(),
        });
        Ok(())
    }

    /// Whether an entry is a folder, with links resolved; `None` for a link that is ignored.
    fn is_folder(&self, entry: &fs::DirEntry) -> Option<io::Result<bool>> {
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return Some(Err(error)),
        };
        match (kind.is_symlink(), self.links) {
            (true, Links::Ignore) => None,
            (true, Links::Follow) => Some(fs::metadata(entry.path()).map(|about| about.is_dir())),
            (false, _) => Some(Ok(kind.is_dir())),
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Local, SkippedEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((folder, relative_path)) = self.next.take()
                && let Err(fault) = self.open_folder(folder, relative_path)
            {
                return Some(Err(fault));
            }
            let level = self.levels.last_mut()?;
            let Some((name, is_folder)) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            let file = level.folder.join(&name);
            let Some(name) = name.to_str() else {
                return Some(Err(skipped(&file, "its name is not UTF-8")));
            };
            let relative_path = format!("{}{name}", level.relative_path);
            match is_folder {
                Ok(true) => self.next = Some((file, format!("{relative_path}/"))),
                Ok(false) => return Some(regular(file, relative_path)),
                Err(error) => return Some(Err(unreadable(&file, &error))),
            }
        }
    }
}

fn regular(file: PathBuf, relative_path: String) -> Result<Local, SkippedEntry> {
    let metadata = fs::metadata(&file).map_err(|error| unreadable(&file, &error))?;
    match metadata.is_file() {
        true => Ok(Local {
            file,
            relative_path,
            metadata,
        }),
        false => Err(skipped(&file, "is not a regular file")),
    }
}

fn unreadable(file: &Path, error: &io::Error) -> SkippedEntry {
    let dangles = error.kind() == io::ErrorKind::NotFound
        && fs::symlink_metadata(file).is_ok_and(|about| about.is_symlink());
    match dangles {
        true => skipped(file, "is a broken link"),
        false => skipped(file, format!("cannot be read: {error}")),
    }
}

fn skipped(file: &Path, reason: impl Into<String>) -> SkippedEntry {
    SkippedEntry {
        file: file.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.txt` sorts before the content of `a`, because a full stop sorts before a slash.
    #[test]
    fn walk_returns_files_in_key_order() {
        let root = tempfile::tempdir().expect("a folder");
        let names = ["a!", "a.txt", "a/b/c", "a/b.d", "a0", "b", "é/x"];
        for name in names {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(&file, "x").expect("a file");
        }
        let mut sorted = names.map(str::to_owned);
        sorted.sort();
        let walk = Walk::new(root.path(), Links::Follow);
        let found: Vec<_> = walk
            .map(|found| found.expect("a file").relative_path)
            .collect();
        assert_eq!(found, sorted);
    }

    #[test]
    fn walk_reports_unreadable_entries_and_continues() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("deep")).expect("a folder");
        fs::write(at("deep/file"), "x").expect("a file");
        symlink("nothing", at("dangling")).expect("a link");
        symlink("..", at("deep/loop")).expect("a link");
        symlink("itself", at("itself")).expect("a link");
        symlink("deep/file", at("linked")).expect("a link");
        fs::write(root.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "x").expect("a file");
        let texts = |links| -> Vec<String> {
            let walk = Walk::new(root.path(), links);
            walk.map(|found| match found {
                Ok(local) => local.relative_path,
                Err(skipped) => skipped.reason,
            })
            .collect()
        };
        let [dangling, file, back, itself, linked, name] = &texts(Links::Follow)[..] else {
            panic!("{:?}", texts(Links::Follow));
        };
        assert_eq!([&**file, &**linked], ["deep/file", "linked"]);
        assert_eq!(dangling, "is a broken link");
        assert_eq!(back, "is a link to one of its parent folders");
        assert!(itself.starts_with("cannot be read"), "{itself}");
        assert_eq!(name, "its name is not UTF-8");
        assert_eq!(texts(Links::Ignore), ["deep/file", "its name is not UTF-8"]);
    }
}
