//! The saved state of uploads between two runs: which session a file has, and which parts were
//! sent. There is one small file per upload in the user's state folder; it contains no key and no
//! URL.
//!
//! The first line describes the session, every further line a part that the store has accepted,
//! with the checksum of the bytes that were sent. A run that dies loses at most the records of its
//! last parts; the store's own checksums identify those. An incomplete last line is ignored. A file
//! that was not changed for 90 days is deleted by the next run: its session ended long ago, and
//! nothing resumes it.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::item::Item;
use super::stamp::Stamp;
use crate::client::api::wire::Checksum;
use crate::client::error::{Error, Result};
use crate::client::hex::hex_prefix;
use crate::client::lock::open_locked;

/// How long an unused state file is kept.
const RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A session that an earlier run created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedSession {
    pub(super) upload_id: Uuid,
    /// The stamp of the file when the session was created.
    pub(super) stamp: Stamp,
    /// The digest of the options.
    pub(super) options: String,
    /// The checksum of the whole file, if it is sent in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<Checksum>,
    /// The size in bytes of every part but the last, if it is sent in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part_size: Option<u64>,
}

/// A part that the store accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SentPart {
    pub(super) part_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// The checksum of the bytes that were sent.
    pub(super) checksum: Checksum,
}

/// The saved state of one upload, locked against other processes.
#[derive(Debug)]
pub(super) struct UploadState {
    /// The state file; `None` if the user has no state folder.
    file: Option<(PathBuf, File)>,
    pub(super) session: Option<SavedSession>,
    pub(super) parts: HashMap<u32, SentPart>,
}

/// The folder of the saved states.
#[derive(Debug)]
pub(super) struct StateStore {
    /// `None` if the user has no state folder.
    folder: Option<PathBuf>,
}

impl StateStore {
    /// Creates the folder, and deletes unused state files from it.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub(super) fn open() -> Result<Self> {
        let Some(folder) = folder() else {
            return Ok(Self { folder: None });
        };
        let fault = |error| unwritable(&folder, error);
        fs::create_dir_all(&folder).map_err(fault)?;
        // Other users must not see what is uploaded, and from where.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(fault)?;
        remove_old(&folder);
        Ok(Self {
            folder: Some(folder),
        })
    }

    /// Opens and locks the saved state of uploading this file to this broker.
    ///
    /// # Errors
    /// [`Error::Conflict`] if another process is uploading the file.
    pub(super) fn of(&self, broker: &str, item: &Item) -> Result<UploadState> {
        let mut state = UploadState {
            file: None,
            session: None,
            parts: HashMap::new(),
        };
        let Some(folder) = &self.folder else {
            return Ok(state);
        };
        let whole = fs::canonicalize(&item.file)
            .map_err(|error| Error::local(format!("cannot read {}", item.file.display()), error))?;
        let path = folder.join(format!("{}.jsonl", name(broker, &whole, &item.path)));
        let mut file = open_locked(&path).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let name = item.file.display();
                Error::Conflict(format!("{name} is being uploaded by another process"))
            }
            TryLockError::Error(error) => unwritable(&path, error),
        })?;
        let mut text = String::new();
        // Content that is not UTF-8 counts as empty.
        let _ = file.read_to_string(&mut text);
        if !text.is_empty() && !text.ends_with('\n') {
            (file.write_all(b"\n")).map_err(|error| unwritable(&path, error))?;
        }
        state.file = Some((path, file));
        state.parse(&text);
        Ok(state)
    }
}

impl UploadState {
    fn parse(&mut self, text: &str) {
        let mut lines = text.lines();
        let first = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        let Some(session) = first else {
            return;
        };
        self.session = Some(session);
        let parts = lines.filter_map(|line| serde_json::from_str::<SentPart>(line).ok());
        self.parts = parts.map(|part| (part.part_number, part)).collect();
    }

    /// Records a new session, and discards the previous one.
    pub(super) fn start_session(&mut self, session: SavedSession) -> Result<()> {
        self.parts.clear();
        if let Some((path, file)) = &mut self.file {
            let emptied = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            emptied.map_err(|error| unwritable(path, error))?;
        }
        self.write(&session)?;
        self.session = Some(session);
        Ok(())
    }

    /// Records a part that was sent.
    pub(super) fn record_part(&mut self, part: SentPart) -> Result<()> {
        self.write(&part)?;
        self.parts.insert(part.part_number, part);
        Ok(())
    }

    /// Deletes the state, because nothing can be continued.
    pub(super) fn discard(mut self) {
        self.session = None;
    }

    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(value)
            .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
        line.push(b'\n');
        file.write_all(&line)
            .map_err(|error| unwritable(path, error))
    }
}

impl Drop for UploadState {
    fn drop(&mut self) {
        if let (None, Some((path, _))) = (&self.session, &self.file) {
            // If the file cannot be deleted, it has no session, and the next run starts again.
            let _ = fs::remove_file(path);
        }
    }
}

/// Deletes unused state files. Files that cannot be read or are locked remain.
fn remove_old(folder: &Path) {
    let is_old = |file: &fs::DirEntry| {
        let age = file.metadata().and_then(|about| about.modified()).ok();
        age.and_then(|touched| touched.elapsed().ok()) > Some(RETENTION)
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.filter(is_old) {
        if let Ok(_locked) = open_locked(&file.path()) {
            let _ = fs::remove_file(file.path());
        }
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> Error {
    Error::local(format!("cannot write {}", path.display()), source)
}

/// `upload-broker/uploads` in the user's state folder, or in the data folder on a system without
/// state folders.
fn folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    let base = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Some(base.join("upload-broker/uploads"))
}

/// The name of the state file: a digest of the broker, the local file and the path of the dataset.
fn name(broker: &str, file: &Path, path: &str) -> String {
    let mut hash = Sha256::new();
    for text in [broker.as_bytes(), file.as_os_str().as_encoded_bytes()] {
        hash.update(text);
        hash.update([0]);
    }
    hash.update(path);
    hex_prefix(&hash.finalize(), 16)
}
