//! The hidden file that a download is written to until it is complete.
//!
//! Its name contains digests of the dataset's path and ETag, so that a later run resumes it only
//! for the same bytes. An advisory file lock excludes other processes; the system releases it when
//! the process ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use super::leftovers;
use super::target::parent_folder;
use crate::client::error::{Error, Result};
use crate::client::hex::hex_prefix;
use crate::client::lock::open_locked;

/// The longest part of the target's name in the name of the hidden file: file systems limit names
/// to 255 bytes.
const MAX_NAME_PART: usize = 180;
/// The number of bytes of each digest in the name.
const DIGEST_BYTES: usize = 5;

/// An open, locked partial file.
#[derive(Debug)]
pub(super) struct PartFile {
    /// Open for reading, and for appending.
    pub(super) file: File,
    path: PathBuf,
    /// The common prefix of all partial files of this dataset and target.
    name_prefix: String,
}

impl PartFile {
    /// Opens the partial file that an earlier run left, or creates one.
    pub(super) fn open(target: &Path, dataset: &str, etag: &str) -> Result<Self> {
        let name_prefix = name_prefix(target, dataset);
        let name = format!("{name_prefix}{}.part", digest(etag));
        let path = parent_folder(target).join(name);
        let file = open_locked(&path).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let name = target.display();
                Error::Conflict(format!("{name} is being downloaded by another process"))
            }
            TryLockError::Error(error) => {
                Error::local(format!("cannot write {}", path.display()), error)
            }
        })?;
        Ok(Self {
            file,
            path,
            name_prefix,
        })
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        (self.file.write_all(bytes)).map_err(|error| self.error("cannot write", error))
    }

    /// Empties the file.
    pub(super) fn clear(&mut self) -> Result<()> {
        (self.file.set_len(0)).map_err(|error| self.error("cannot write", error))
    }

    /// Deletes the file.
    pub(super) fn discard(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| self.error("cannot remove", error))
    }

    /// Syncs the file to disk and renames it to `target`. An existing file is only replaced with
    /// `force`.
    pub(super) fn finish(self, target: &Path, force: bool) -> Result<()> {
        (self.file.sync_all()).map_err(|error| self.error("cannot write", error))?;
        if force {
            fs::rename(&self.path, target).map_err(|error| self.error("cannot rename", error))?;
        } else {
            let path = TempPath::try_from_path(&self.path)
                .map_err(|error| self.error("cannot rename", error))?;
            if let Err(failed) = path.persist_noclobber(target) {
                // The download is complete: keep it for a run with --force, or to another target.
                let _ = failed.path.keep();
                if failed.error.kind() == io::ErrorKind::AlreadyExists {
                    let name = target.display();
                    let what = format!(
                        "{name} was created during the download; use --force to replace it"
                    );
                    return Err(Error::Conflict(what));
                }
                return Err(self.error("cannot rename", failed.error));
            }
        }
        let folder = parent_folder(target);
        // Not every file system can sync a folder; the bytes themselves are synced.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        leftovers::remove(folder, &self.name_prefix);
        Ok(())
    }

    fn error(&self, what: &str, error: io::Error) -> Error {
        Error::local(format!("{what} {}", self.path.display()), error)
    }
}

/// Whether a file name is that of a partial file.
pub(in crate::client) fn is_part_file(name: &str) -> bool {
    let digests = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".part"));
    let digests = digests.and_then(|name| name.rsplit_once('.'));
    let digests = digests.and_then(|(_, digests)| digests.split_once('-'));
    let is_digest = |text: &str| text.len() == 2 * DIGEST_BYTES && text.bytes().all(is_hex);
    digests.is_some_and(|(dataset, etag)| is_digest(dataset) && is_digest(etag))
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn name_prefix(target: &Path, dataset: &str) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut kept = String::new();
    for c in name.chars() {
        if kept.len() + c.len_utf8() > MAX_NAME_PART {
            break;
        }
        kept.push(c);
    }
    let dataset = dataset.trim_start_matches('/');
    format!(".{kept}.{}-", digest(&format!("{name}\n{dataset}")))
}

fn digest(text: &str) -> String {
    hex_prefix(&Sha256::digest(text.as_bytes()), DIGEST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_part_recognizes_only_names_of_partial_files() {
        let name_prefix = name_prefix(Path::new("to/a.b.csv"), "/data/x");
        assert!(is_part_file(&format!(
            "{name_prefix}{}.part",
            digest("etag")
        )));
        for name in ["a.part", ".a.part", ".a.0123456789-0123456789", ".x-y.part"] {
            assert!(!is_part_file(name), "{name}");
        }
    }
}
