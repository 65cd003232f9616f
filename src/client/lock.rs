//! Exclusive access to a file by one process at a time. The system releases the lock when the
//! process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Opens the file for reading and appending, creates it if necessary, and locks it. The previous
/// owner of the lock may have renamed or removed the file between opening and locking, in which
/// case it is opened again.
///
/// # Errors
/// `WouldBlock` if another process holds the lock.
pub fn open_locked(path: &Path) -> Result<File, TryLockError> {
    loop {
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let file = options.open(path).map_err(TryLockError::Error)?;
        file.try_lock()?;
        let locked = file.metadata().map_err(TryLockError::Error)?.ino();
        if fs::metadata(path).is_ok_and(|current| current.ino() == locked) {
            return Ok(file);
        }
    }
}
