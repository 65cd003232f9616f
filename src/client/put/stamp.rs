//! Detects that a file has changed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use serde::{Deserialize, Serialize};

/// The metadata by which a changed file is detected. Size and modification time can be reset to
/// their old values; the inode and the time of its last change cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Stamp {
    /// The size in bytes.
    pub(in crate::client) size: u64,
    /// The time of the last write: seconds of Unix time, and nanoseconds.
    modified: (i64, i64),
    /// The time of the last change of the inode: seconds of Unix time, and nanoseconds.
    changed: (i64, i64),
    device: u64,
    inode: u64,
}

impl Stamp {
    pub(in crate::client) fn of(about: &Metadata) -> Self {
        Self {
            size: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
            device: about.dev(),
            inode: about.ino(),
        }
    }
}
