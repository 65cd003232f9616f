//! The local files that the datasets of a folder are written to: below one local folder, and
//! nowhere else.
//!
//! Every writer of the bucket chooses paths, so they are not trusted. A path segment that would
//! lead out of the folder is rejected, and nothing is written through a symbolic link.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::target::LONGEST_NAME;
use crate::client::error::{Error, Result};

/// A local folder that datasets are downloaded into.
#[derive(Debug)]
pub(in crate::client) struct DestinationFolder {
    root: PathBuf,
    /// On a case-insensitive file system: hashes of the names that are in use.
    used_names: Option<Mutex<HashSet<u64>>>,
    hasher: RandomState,
}

impl DestinationFolder {
    /// Opens the folder, and creates it if it does not exist.
    ///
    /// # Errors
    /// Fails if the folder cannot be created or written.
    pub(in crate::client) fn open(root: &Path) -> Result<Self> {
        let unusable = |error| Error::local(format!("cannot write to {}", root.display()), error);
        fs::create_dir_all(root).map_err(unusable)?;
        let ignores_case = ignores_case(root).map_err(unusable)?;
        Ok(Self {
            root: root.to_owned(),
            used_names: ignores_case.then(Mutex::default),
            hasher: RandomState::new(),
        })
    }

    /// Returns the file for this path relative to the folder, and creates the folders on the way to
    /// it.
    ///
    /// # Errors
    /// [`Error::Skipped`] if the path would lead out of the folder or is no valid name here,
    /// [`Error::Conflict`] if the name is in use by something else.
    pub(in crate::client) fn prepare_file(&self, relative_path: &str) -> Result<PathBuf> {
        let segments: Vec<&str> = relative_path.split('/').collect();
        for segment in &segments {
            ensure_name(segment)?;
        }
        let Some((_, folders)) = segments.split_last() else {
            return Err(Error::Skipped("its path has no name".to_owned()));
        };
        let mut path = self.root.clone();
        for folder in folders {
            path.push(folder);
            ensure_folder(&path)?;
        }
        let path = self.root.join(relative_path);
        ensure_file(&path)?;
        self.ensure_unused(relative_path)?;
        Ok(path)
    }

    /// On a case-insensitive file system, ensures that no other dataset of this run has a name that
    /// differs only in case.
    fn ensure_unused(&self, relative_path: &str) -> Result<()> {
        let Some(used_names) = &self.used_names else {
            return Ok(());
        };
        let hash = self.hasher.hash_one(relative_path.to_lowercase());
        let mut used_names = used_names.lock().unwrap_or_else(PoisonError::into_inner);
        match used_names.insert(hash) {
            true => Ok(()),
            false => Err(Error::Conflict(
                "another dataset has the same name on this case-insensitive file system".to_owned(),
            )),
        }
    }
}

/// Ensures that a path segment is a valid name of a file or folder.
fn ensure_name(segment: &str) -> Result<()> {
    let what = match segment {
        "" | "." | ".." => "a segment of its path is not a valid file name".to_owned(),
        name if name.contains('\0') => "a segment of its path is not a valid file name".to_owned(),
        name if name.len() > LONGEST_NAME => format!(
            "file names are limited to {LONGEST_NAME} bytes, and one in its path has {}",
            name.len()
        ),
        _ => return Ok(()),
    };
    Err(Error::Skipped(what))
}

/// Ensures that the folder exists and is no symbolic link; creates it if it does not exist.
fn ensure_folder(path: &Path) -> Result<()> {
    let unusable = |error| Error::local(format!("cannot write to {}", path.display()), error);
    loop {
        match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => return Ok(()),
            Ok(there) if there.is_symlink() => return Err(link_error(path)),
            Ok(_) => {
                let what = format!("{} exists and is not a folder", path.display());
                return Err(Error::Conflict(what));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::create_dir(path) {
                // Another download may have created it, or a link may have been put in its place.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(unusable)?,
            },
            Err(error) => return Err(unusable(error)),
        }
    }
}

/// Ensures that there is a regular file, or nothing.
fn ensure_file(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => Err(link_error(path)),
        Ok(there) if !there.is_file() => {
            let what = format!(
                "{} is not a regular file and cannot be replaced",
                path.display()
            );
            Err(Error::Conflict(what))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let what = format!("cannot write {}", path.display());
            Err(Error::local(what, error))
        }
        _ => Ok(()),
    }
}

fn link_error(path: &Path) -> Error {
    let what = format!("{} is a symbolic link", path.display());
    Error::Skipped(what)
}

/// Whether the file system treats `a` and `A` as the same file.
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

    fn destination(root: &Path, used_names: bool) -> DestinationFolder {
        DestinationFolder {
            root: root.to_owned(),
            used_names: used_names.then(Mutex::default),
            hasher: RandomState::new(),
        }
    }

    #[test]
    fn path_that_leads_out_of_the_folder_is_rejected() {
        let root = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        symlink(outside.path(), root.path().join("link")).expect("a link");
        symlink(outside.path().join("x"), root.path().join("file")).expect("a link");
        let destination = DestinationFolder::open(root.path()).expect("a folder");
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
            let result = destination.prepare_file(path);
            assert!(
                matches!(result, Err(Error::Skipped(_))),
                "{path:?}: {result:?}"
            );
        }
        assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
        let path = destination.prepare_file("a/b/c d.csv").expect("a path");
        assert_eq!(path, root.path().join("a/b/c d.csv"));
        fs::write(&path, "x").expect("a file");
        let relative_to_file = destination.prepare_file("a/b/c d.csv/x");
        assert!(
            matches!(relative_to_file, Err(Error::Conflict(_))),
            "{relative_to_file:?}"
        );
        let folder = destination.prepare_file("a/b");
        assert!(matches!(folder, Err(Error::Conflict(_))), "{folder:?}");
    }

    #[test]
    fn names_that_differ_only_in_case_conflict_on_case_insensitive_file_system() {
        let root = tempfile::tempdir().expect("a folder");
        for (ignores_case, other_fits) in [(false, true), (true, false)] {
            let destination = destination(root.path(), ignores_case);
            assert!(destination.prepare_file("Data/A.csv").is_ok());
            assert_eq!(destination.prepare_file("data/a.CSV").is_ok(), other_fits);
            assert!(destination.prepare_file("data/b.csv").is_ok());
        }
    }
}
