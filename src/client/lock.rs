//! A file that one process at a time works on. The lock goes with the process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Opens the file, for reading and for writing at its end, and locks it; makes it where it is not
/// there. Whoever held the lock before may have renamed or removed the file after we opened it:
/// then it is opened anew.
///
/// # Errors
/// `WouldBlock` where another process works on it.
pub fn claim(place: &Path) -> Result<File, TryLockError> {
    loop {
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let file = options.open(place).map_err(TryLockError::Error)?;
        file.try_lock()?;
        let ours = file.metadata().map_err(TryLockError::Error)?.ino();
        if fs::metadata(place).is_ok_and(|there| there.ino() == ours) {
            return Ok(file);
        }
    }
}
