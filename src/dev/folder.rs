//! The folder that contains the state of the embedded services, and the lock that allows one process to use
//! it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file that marks a folder of upload-broker, so that `--fresh` never empties another folder.
const LOCK_FILE: &str = "upload-broker-dev.lock";

/// Why the folder cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has locked the folder.
    #[error("another `upload-broker dev` already runs in {}; stop it, or set BROKER_DEV_DIR, BROKER_BIND and BROKER_DEV_S3_BIND for a second one", .0.display())]
    InUse(PathBuf),
    /// The folder is not empty, and contains no state of upload-broker.
    #[error("{} is not empty and not a folder of upload-broker; set BROKER_DEV_DIR to another folder", .0.display())]
    Foreign(PathBuf),
    /// The folder cannot be read or written.
    #[error("cannot use the folder {}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// The locked folder. The lock is released when this value is dropped or the process dies.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Creates the folder if it does not exist, locks it, and empties it if `fresh` is set.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path, fresh: bool) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let lock_file = path.join(LOCK_FILE);
        let is_empty = fs::read_dir(&path).map_err(failed)?.next().is_none();
        if !is_empty && !lock_file.exists() {
            return Err(Error::Foreign(path));
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_file)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if fresh {
            empty(&path).map_err(failed)?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == LOCK_FILE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file that only its owner may read.
///
/// # Errors
/// The file cannot be written.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")
}
