//! The destination of a download.

use std::fs;
use std::path::{Path, PathBuf};

use crate::client::error::{Error, Result};

/// Standard output, or a file.
#[derive(Debug)]
pub(in crate::client) enum Target {
    Stdout,
    File { path: PathBuf, force: bool },
}

impl Target {
    /// Parses the destination argument: none, a file, a folder, or `-`.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is something that must not be replaced.
    pub(super) fn of(dataset: &str, to: Option<&str>, force: bool) -> Result<Self> {
        let name = dataset.rsplit('/').next().unwrap_or_default();
        if name.is_empty() {
            let what = "use -r to download a folder; `ls -r` lists its content";
            return Err(Error::settings(what));
        }
        let path = match to {
            Some("-") => return Ok(Self::Stdout),
            None => file_name_of(name)?,
            Some(to) if to.ends_with('/') || Path::new(to).is_dir() => {
                Path::new(to).join(file_name_of(name)?)
            }
            Some(to) => PathBuf::from(to),
        };
        ensure_short_names(&path)?;
        let folder = parent_folder(&path);
        if !folder.is_dir() {
            let what = format!("{} is not an existing folder", folder.display());
            return Err(Error::settings(what));
        }
        if let Ok(existing) = fs::symlink_metadata(&path) {
            let name = path.display();
            if !(existing.is_file() || existing.is_symlink()) {
                let what = format!("{name} is not a regular file and cannot be replaced");
                return Err(Error::Conflict(what));
            }
            if !force {
                let what = format!("{name} already exists; use --force to replace it");
                return Err(Error::Conflict(what));
            }
        }
        Ok(Self::File { path, force })
    }

    /// This file; an existing one is only replaced with `force`.
    pub(in crate::client) fn at(path: PathBuf, force: bool) -> Self {
        Self::File { path, force }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// The path of the file; `None` for standard output.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { path, .. } => Some(path),
        }
    }
}

/// The longest name of a file or folder in bytes on Linux, macOS and the BSDs.
pub(super) const LONGEST_NAME: usize = 255;

/// The dataset's own name as a file name. Objects that were written without the broker may have
/// names that lead out of the folder.
fn file_name_of(name: &str) -> Result<PathBuf> {
    if matches!(name, "." | "..") || name.contains('\0') {
        return Err(Error::settings(
            "its name is not a valid file name: give a local file",
        ));
    }
    Ok(PathBuf::from(name))
}

/// Ensures that no name is too long for a file system, before any bytes are downloaded.
fn ensure_short_names(path: &Path) -> Result<()> {
    for name in path.components() {
        let length = name.as_os_str().len();
        if length > LONGEST_NAME {
            let what = format!(
                "file names are limited to {LONGEST_NAME} bytes, and this one would have {length}: give \
                 a shorter local name"
            );
            return Err(Error::settings(what));
        }
    }
    Ok(())
}

/// The parent folder of a file.
pub(super) fn parent_folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
