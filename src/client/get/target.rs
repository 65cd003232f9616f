//! Where a download goes.

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
    /// What the command line names: nothing, a file, a folder, or `-`.
    ///
    /// # Errors
    /// [`Error::Conflict`] where something stands there that must not be replaced.
    pub(super) fn of(dataset: &str, to: Option<&str>, force: bool) -> Result<Self> {
        let name = dataset.rsplit('/').next().unwrap_or_default();
        if name.is_empty() {
            let what = "a folder is downloaded with -r; `ls -r` lists what is in it";
            return Err(Error::settings(what));
        }
        let path = match to {
            Some("-") => return Ok(Self::Stdout),
            None => own_name(name)?,
            Some(to) if to.ends_with('/') || Path::new(to).is_dir() => {
                Path::new(to).join(own_name(name)?)
            }
            Some(to) => PathBuf::from(to),
        };
        ensure_short_names(&path)?;
        let folder = folder_of(&path);
        if !folder.is_dir() {
            let what = format!("{} is no folder: make it first", folder.display());
            return Err(Error::settings(what));
        }
        if let Ok(there) = fs::symlink_metadata(&path) {
            let name = path.display();
            if !(there.is_file() || there.is_symlink()) {
                let what = format!("{name} is no file that could be replaced");
                return Err(Error::Conflict(what));
            }
            if !force {
                let what = format!("{name} is there already; give --force to replace it");
                return Err(Error::Conflict(what));
            }
        }
        Ok(Self::File { path, force })
    }

    /// This file; with `force` in place of one that is there.
    pub(in crate::client) fn at(path: PathBuf, force: bool) -> Self {
        Self::File { path, force }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// The file, where it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { path, .. } => Some(path),
        }
    }
}

/// The longest name of a file or folder, in bytes: that of Linux, macOS and the BSDs.
pub(super) const LONGEST_NAME: usize = 255;

/// The dataset's own name. Objects that came past the broker may have names that lead elsewhere.
fn own_name(name: &str) -> Result<PathBuf> {
    if matches!(name, "." | "..") || name.contains('\0') {
        return Err(Error::settings("its name is no file name: say where to"));
    }
    Ok(PathBuf::from(name))
}

/// Ensures that no name is too long for a file system, before the bytes are fetched.
fn ensure_short_names(path: &Path) -> Result<()> {
    for name in path.components() {
        let length = name.as_os_str().len();
        if length > LONGEST_NAME {
            let what = format!(
                "a file name has at most {LONGEST_NAME} bytes, and this one would have {length}: say \
                 where to, by a shorter name"
            );
            return Err(Error::settings(what));
        }
    }
    Ok(())
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
