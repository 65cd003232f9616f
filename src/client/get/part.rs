//! The hidden file that a download grows in until it is whole.
//!
//! Its name is bound to the dataset's path and ETag, so that a later run goes on with it, and only
//! with the same bytes. A lock keeps two runs apart; it goes with the process, however that ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use super::leftovers;
use super::target::folder_of;
use crate::client::error::{Error, Result};
use crate::client::hex::hex_prefix;
use crate::client::lock::claim;

/// The longest piece of the target's name in the hidden one's: names end at 255 bytes.
const LONGEST: usize = 180;
/// Bytes of the digests in it.
const DIGEST: usize = 5;

/// An open hidden file that is ours alone.
#[derive(Debug)]
pub(super) struct PartFile {
    /// Open for reading, and for writing at its end.
    pub(super) file: File,
    place: PathBuf,
    /// What the names of all hidden files for this dataset and target begin with.
    family: String,
}

impl PartFile {
    /// Makes it, or finds what an earlier run left.
    pub(super) fn open(target: &Path, dataset: &str, etag: &str) -> Result<Self> {
        let family = family(target, dataset);
        let name = format!("{family}{}.part", digest(etag));
        let place = folder_of(target).join(name);
        let file = claim(&place).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let name = target.display();
                Error::Conflict(format!("{name} is being downloaded by another process"))
            }
            TryLockError::Error(error) => {
                Error::local(format!("cannot write {}", place.display()), error)
            }
        })?;
        Ok(Self {
            file,
            place,
            family,
        })
    }

    /// Adds bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        (self.file.write_all(bytes)).map_err(|error| self.fault("cannot write", error))
    }

    /// Throws away what is there, and goes on with none.
    pub(super) fn clear(&mut self) -> Result<()> {
        (self.file.set_len(0)).map_err(|error| self.fault("cannot write", error))
    }

    /// Removes it.
    pub(super) fn discard(self) -> Result<()> {
        fs::remove_file(&self.place).map_err(|error| self.fault("cannot remove", error))
    }

    /// Makes it last, and gives it the target's name; only with `force` in place of a file that
    /// is there.
    pub(super) fn finish(self, target: &Path, force: bool) -> Result<()> {
        (self.file.sync_all()).map_err(|error| self.fault("cannot write", error))?;
        if force {
            fs::rename(&self.place, target).map_err(|error| self.fault("cannot rename", error))?;
        } else {
            let place = TempPath::try_from_path(&self.place)
                .map_err(|error| self.fault("cannot rename", error))?;
            if let Err(refused) = place.persist_noclobber(target) {
                // What came is whole: it is kept for a run with --force, or to another place.
                let _ = refused.path.keep();
                if refused.error.kind() == io::ErrorKind::AlreadyExists {
                    let name = target.display();
                    let what = format!("{name} appeared meanwhile; give --force to replace it");
                    return Err(Error::Conflict(what));
                }
                return Err(self.fault("cannot rename", refused.error));
            }
        }
        let folder = folder_of(target);
        // Not every file system can do it for a folder; the bytes themselves are safe.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        leftovers::remove(folder, &self.family);
        Ok(())
    }

    fn fault(&self, what: &str, error: io::Error) -> Error {
        Error::local(format!("{what} {}", self.place.display()), error)
    }
}

/// Whether a file of this name is one that a download grows in.
pub(in crate::client) fn is_part(name: &str) -> bool {
    let digests = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".part"));
    let digests = digests.and_then(|name| name.rsplit_once('.'));
    let digests = digests.and_then(|(_, digests)| digests.split_once('-'));
    let is_digest = |text: &str| text.len() == 2 * DIGEST && text.bytes().all(is_hex);
    digests.is_some_and(|(dataset, etag)| is_digest(dataset) && is_digest(etag))
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn family(target: &Path, dataset: &str) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut kept = String::new();
    for c in name.chars() {
        if kept.len() + c.len_utf8() > LONGEST {
            break;
        }
        kept.push(c);
    }
    let dataset = dataset.trim_start_matches('/');
    format!(".{kept}.{}-", digest(&format!("{name}\n{dataset}")))
}

fn digest(text: &str) -> String {
    hex_prefix(&Sha256::digest(text.as_bytes()), DIGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_file_of_ours_is_recognized() {
        let family = family(Path::new("to/a.b.csv"), "/data/x");
        assert!(is_part(&format!("{family}{}.part", digest("etag"))));
        for name in ["a.part", ".a.part", ".a.0123456789-0123456789", ".x-y.part"] {
            assert!(!is_part(name), "{name}");
        }
    }
}
