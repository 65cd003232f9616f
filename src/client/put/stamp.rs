//! By what a changed file is noticed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use serde::{Deserialize, Serialize};

/// What a changed file is noticed by. Size and modification time can be set to what they were
/// before; the inode and the time of its last change cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Stamp {
    /// Bytes.
    pub(in crate::client) size: u64,
    /// When it was last written: seconds of Unix time, and nanoseconds.
    modified: (i64, i64),
    /// When its inode last changed: seconds of Unix time, and nanoseconds.
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
