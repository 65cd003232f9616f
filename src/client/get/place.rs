//! Where the datasets of a folder go: below one local folder, and nowhere else.
//!
//! Any writer of the bucket chooses paths. A segment that would lead elsewhere is refused, and
//! nothing is written through a symbolic link.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::target::LONGEST_NAME;
use crate::client::error::{Error, Result};

/// The places below one folder.
#[derive(Debug)]
pub(in crate::client) struct Places {
    root: PathBuf,
    /// Of the names that were given, where the file system ignores case: their hashes.
    taken: Option<Mutex<HashSet<u64>>>,
    hashes: RandomState,
}

impl Places {
    /// Below this folder, which is made where it is not there.
    ///
    /// # Errors
    /// A folder that cannot be made or written.
    pub(in crate::client) fn below(root: &Path) -> Result<Self> {
        let unusable = |error| Error::local(format!("cannot write to {}", root.display()), error);
        fs::create_dir_all(root).map_err(unusable)?;
        let ignores_case = ignores_case(root).map_err(unusable)?;
        Ok(Self {
            root: root.to_owned(),
            taken: ignores_case.then(Mutex::default),
            hashes: RandomState::new(),
        })
    }

    /// The file for this path below the folder. The folders on the way to it are made.
    ///
    /// # Errors
    /// [`Error::LeftOut`] where the path would lead elsewhere or is no name here,
    /// [`Error::Conflict`] where something else has the name.
    pub(in crate::client) fn claim(&self, below: &str) -> Result<PathBuf> {
        let segments: Vec<&str> = below.split('/').collect();
        for segment in &segments {
            ensure_name(segment)?;
        }
        let Some((_, folders)) = segments.split_last() else {
            return Err(Error::LeftOut("it has no name".to_owned()));
        };
        let mut place = self.root.clone();
        for folder in folders {
            place.push(folder);
            ensure_folder(&place)?;
        }
        let place = self.root.join(below);
        ensure_file(&place)?;
        self.ensure_distinct(below)?;
        Ok(place)
    }

    /// Ensures that no other dataset of this run has the same name but for its case, where those
    /// are one file.
    fn ensure_distinct(&self, below: &str) -> Result<()> {
        let Some(taken) = &self.taken else {
            return Ok(());
        };
        let hash = self.hashes.hash_one(below.to_lowercase());
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.insert(hash) {
            true => Ok(()),
            false => Err(Error::Conflict(
                "another dataset has the same name here, where case does not count".to_owned(),
            )),
        }
    }
}

/// Ensures that a segment is the name of a file or folder, and leads nowhere else.
fn ensure_name(segment: &str) -> Result<()> {
    let what = match segment {
        "" | "." | ".." => "a segment of its path is no name".to_owned(),
        name if name.contains('\0') => "a segment of its path is no name".to_owned(),
        name if name.len() > LONGEST_NAME => format!(
            "a name here has at most {LONGEST_NAME} bytes, and one in its path has {}",
            name.len()
        ),
        _ => return Ok(()),
    };
    Err(Error::LeftOut(what))
}

/// Ensures that a real folder is there, and makes it where nothing is.
fn ensure_folder(place: &Path) -> Result<()> {
    let unusable = |error| Error::local(format!("cannot write to {}", place.display()), error);
    loop {
        match fs::symlink_metadata(place) {
            Ok(there) if there.is_dir() => return Ok(()),
            Ok(there) if there.is_symlink() => return Err(through_link(place)),
            Ok(_) => {
                let what = format!("{} is no folder here", place.display());
                return Err(Error::Conflict(what));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::create_dir(place) {
                // Another download may have made it, and a link may have come in its place.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(unusable)?,
            },
            Err(error) => return Err(unusable(error)),
        }
    }
}

/// Ensures that a regular file is there, or nothing.
fn ensure_file(place: &Path) -> Result<()> {
    match fs::symlink_metadata(place) {
        Ok(there) if there.is_symlink() => Err(through_link(place)),
        Ok(there) if !there.is_file() => {
            let what = format!("{} is no file that could be replaced", place.display());
            Err(Error::Conflict(what))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let what = format!("cannot write {}", place.display());
            Err(Error::local(what, error))
        }
        _ => Ok(()),
    }
}

fn through_link(place: &Path) -> Error {
    let what = format!("{} is a link, and may lead elsewhere", place.display());
    Error::LeftOut(what)
}

/// Whether `a` and `A` are one file there.
fn ignores_case(folder: &Path) -> std::io::Result<bool> {
    let probe = tempfile::Builder::new()
        .prefix(".upload-broker-case-")
        .tempfile_in(folder)?;
    let name = probe.path().file_name().unwrap_or_default();
    let other = name.to_string_lossy().to_uppercase();
    Ok(folder.join(other).exists())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn places(root: &Path, taken: bool) -> Places {
        Places {
            root: root.to_owned(),
            taken: taken.then(Mutex::default),
            hashes: RandomState::new(),
        }
    }

    #[test]
    fn no_path_leads_out() {
        let root = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        symlink(outside.path(), root.path().join("link")).expect("a link");
        symlink(outside.path().join("x"), root.path().join("file")).expect("a link");
        let places = Places::below(root.path()).expect("a folder");
        let long = "x".repeat(256);
        for path in [
            "",
            "/",
            "/etc/x",
            "..",
            "../x",
            "a/../../x",
            "a//b",
            "./x",
            "a/.",
            "link/x",
            "link/y/x",
            "file",
            "a\0b",
            &long,
        ] {
            let refused = places.claim(path);
            assert!(
                matches!(refused, Err(Error::LeftOut(_))),
                "{path:?}: {refused:?}"
            );
        }
        assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
        let place = places.claim("a/b/c d.csv").expect("a place");
        assert_eq!(place, root.path().join("a/b/c d.csv"));
        fs::write(&place, "x").expect("a file");
        let below_file = places.claim("a/b/c d.csv/x");
        assert!(
            matches!(below_file, Err(Error::Conflict(_))),
            "{below_file:?}"
        );
        let folder = places.claim("a/b");
        assert!(matches!(folder, Err(Error::Conflict(_))), "{folder:?}");
    }

    #[test]
    fn names_that_differ_in_case_alone_collide_where_case_does_not_count() {
        let root = tempfile::tempdir().expect("a folder");
        for (ignores_case, other_fits) in [(false, true), (true, false)] {
            let places = places(root.path(), ignores_case);
            assert!(places.claim("Data/A.csv").is_ok());
            assert_eq!(places.claim("data/a.CSV").is_ok(), other_fits);
            assert!(places.claim("data/b.csv").is_ok());
        }
    }
}
