//! A folder under `target/tmp` that only this process uses while it runs.
//!
//! The lock is released when the process ends, even if it is killed. The next run reuses the folder, so its
//! Postgres cluster need not be created again, and folders do not accumulate.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Returns the folder of this process.
pub fn path() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, File)> = OnceLock::new();
    &FOLDER.get_or_init(lock_free_folder).0
}

fn lock_free_folder() -> (PathBuf, File) {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for number in 0.. {
        let folder = root.join(format!("process_folder-{number}"));
        fs::create_dir_all(&folder).expect("a folder under target/tmp");
        let lock = File::create(folder.join("lock")).expect("a lock file under target/tmp");
        match lock.try_lock() {
            Ok(()) => return (folder, lock),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => panic!("locking {}: {error}", folder.display()),
        }
    }
    unreachable!("there is always a next number")
}
