//! A folder under `target/tmp` that belongs to this process alone while it lives.
//!
//! The lock goes with the process, also when it is killed, and the next run takes the folder up
//! again: its Postgres need not be made anew, and nothing piles up.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of this process.
pub fn path() -> &'static Path {
    static SLOT: OnceLock<(PathBuf, File)> = OnceLock::new();
    &SLOT.get_or_init(claim).0
}

fn claim() -> (PathBuf, File) {
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
