//! Every file below a folder, one at a time, in the order of the keys that the files get: a folder
//! sorts by its name and a slash. So what is read here can be merged with a listing of the store.
//!
//! In memory are the names in the folders on the way from the root to the current entry, and no
//! more, however many files there are.

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
    /// Where it is.
    pub file: PathBuf,
    /// Its path below the root, with slashes.
    pub below: String,
    /// What the file system knows of it.
    pub about: Metadata,
}

/// An entry that is not read, and why.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Where it is.
    pub file: PathBuf,
    /// Why, in words.
    pub reason: String,
}

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// What they lead to is read in their place.
    Follow,
    /// They are passed over.
    Ignore,
}

/// Reads the folder on a thread of its own.
pub fn stream(root: &Path, links: Links) -> impl Stream<Item = Result<Local, LeftOut>> + use<> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let walk = Walk::new(root, links);
    tokio::task::spawn_blocking(move || {
        for found in walk {
            // A receiver that has gone wants no more.
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
    /// The folders from the root to the current one.
    levels: Vec<Level>,
    /// A folder to be opened next; at first the root.
    next: Option<(PathBuf, String)>,
}

#[derive(Debug)]
struct Level {
    folder: PathBuf,
    /// Its path below the root, with a slash at its end; empty for the root.
    below: String,
    /// Device and inode.
    identity: (u64, u64),
    names: vec::IntoIter<(OsString, io::Result<bool>)>,
}

impl Walk {
    /// Of the files below `root`.
    pub fn new(root: &Path, links: Links) -> Self {
        Self {
            links,
            levels: Vec::new(),
            next: Some((root.to_owned(), String::new())),
        }
    }

    /// Opens a folder.
    fn enter(&mut self, folder: PathBuf, below: String) -> Result<(), LeftOut> {
        let fault = |error: io::Error| left_out(&folder, format!("cannot be read: {error}"));
        let about = fs::metadata(&folder).map_err(fault)?;
        let identity = (about.dev(), about.ino());
        if self.levels.iter().any(|level| level.identity == identity) {
            return Err(left_out(&folder, "leads back to a folder that it is in"));
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
            below,
            identity,
            names: names.into_iter(),
        });
        Ok(())
    }

    /// Whether an entry is a folder, links resolved; `None` of a link that is to be ignored.
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
    type Item = Result<Local, LeftOut>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((folder, below)) = self.next.take()
                && let Err(fault) = self.enter(folder, below)
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
                return Some(Err(left_out(&file, "its name is not UTF-8")));
            };
            let below = format!("{}{name}", level.below);
            match is_folder {
                Ok(true) => self.next = Some((file, format!("{below}/"))),
                Ok(false) => return Some(regular(file, below)),
                Err(error) => return Some(Err(unreadable(&file, &error))),
            }
        }
    }
}

fn regular(file: PathBuf, below: String) -> Result<Local, LeftOut> {
    let about = fs::metadata(&file).map_err(|error| unreadable(&file, &error))?;
    match about.is_file() {
        true => Ok(Local { file, below, about }),
        false => Err(left_out(&file, "is no regular file")),
    }
}

fn unreadable(file: &Path, error: &io::Error) -> LeftOut {
    let dangles = error.kind() == io::ErrorKind::NotFound
        && fs::symlink_metadata(file).is_ok_and(|about| about.is_symlink());
    match dangles {
        true => left_out(file, "is a link to nothing"),
        false => left_out(file, format!("cannot be read: {error}")),
    }
}

fn left_out(file: &Path, reason: impl Into<String>) -> LeftOut {
    LeftOut {
        file: file.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.txt` comes before what is in `a`, as a full stop sorts before a slash.
    #[test]
    fn files_come_in_the_order_of_their_keys() {
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
        let found: Vec<_> = walk.map(|found| found.expect("a file").below).collect();
        assert_eq!(found, sorted);
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_the_rest_is_read() {
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
        let words = |links| -> Vec<String> {
            let walk = Walk::new(root.path(), links);
            walk.map(|found| match found {
                Ok(local) => local.below,
                Err(left) => left.reason,
            })
            .collect()
        };
        let [dangling, file, back, itself, linked, name] = &words(Links::Follow)[..] else {
            panic!("{:?}", words(Links::Follow));
        };
        assert_eq!([&**file, &**linked], ["deep/file", "linked"]);
        assert_eq!(dangling, "is a link to nothing");
        assert_eq!(back, "leads back to a folder that it is in");
        assert!(itself.starts_with("cannot be read"), "{itself}");
        assert_eq!(name, "its name is not UTF-8");
        assert_eq!(words(Links::Ignore), ["deep/file", "its name is not UTF-8"]);
    }
}
