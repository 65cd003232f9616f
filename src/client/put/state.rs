//! What is remembered of an upload between two runs: which session it has, of which file, and which
//! parts went out. One small file an upload, in the user's state folder; no key and no URL in it.
//!
//! The first line names the session, each further one a part, written when the store has taken it,
//! with the checksum of the bytes that were sent. A run that dies in between loses nothing but the
//! record of its last parts, which the store still has: its own checksums identify them. A line that was not written to its end counts
//! as not written. What was not touched for a quarter of a year is removed by whoever comes next: its
//! session ended long ago, and nobody resumes it.

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
use crate::client::lock::claim;

/// How long a file is kept that nobody comes back to.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A session that an earlier run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) upload_id: Uuid,
    /// Of the file, when the session was begun.
    pub(super) stamp: Stamp,
    /// A digest of what was asked for.
    pub(super) options: String,
    /// Of the whole file, where it goes in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<Checksum>,
    /// Bytes of every part but the last, where it goes in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part_size: Option<u64>,
}

/// A part that the store took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SentPart {
    pub(super) part_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// Of the bytes that were sent.
    pub(super) checksum: Checksum,
}

/// What is remembered of one upload. Nobody else works on it meanwhile.
#[derive(Debug)]
pub(super) struct State {
    /// None where the user has no state folder.
    kept: Option<(PathBuf, File)>,
    pub(super) begun: Option<Begun>,
    pub(super) parts: HashMap<u32, SentPart>,
}

/// Where all of it is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    /// None where the user has no state folder.
    folder: Option<PathBuf>,
}

impl Memory {
    /// Makes the folder, and removes from it what nobody comes back to.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub(super) fn open() -> Result<Self> {
        let Some(folder) = folder() else {
            return Ok(Self { folder: None });
        };
        let fault = |error| unwritable(&folder, error);
        fs::create_dir_all(&folder).map_err(fault)?;
        // What is uploaded, and from where, is nobody else's business.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(fault)?;
        remove_old(&folder);
        Ok(Self {
            folder: Some(folder),
        })
    }

    /// What is remembered of uploading this file there.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another process is uploading it.
    pub(super) fn of(&self, broker: &str, item: &Item) -> Result<State> {
        let mut state = State {
            kept: None,
            begun: None,
            parts: HashMap::new(),
        };
        let Some(folder) = &self.folder else {
            return Ok(state);
        };
        let whole = fs::canonicalize(&item.file)
            .map_err(|error| Error::local(format!("cannot read {}", item.file.display()), error))?;
        let place = folder.join(format!("{}.jsonl", name(broker, &whole, &item.path)));
        let mut file = claim(&place).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let name = item.file.display();
                Error::Conflict(format!("{name} is being uploaded by another process"))
            }
            TryLockError::Error(error) => unwritable(&place, error),
        })?;
        let mut text = String::new();
        // What is not text any more is as good as nothing.
        let _ = file.read_to_string(&mut text);
        if !text.is_empty() && !text.ends_with('\n') {
            (file.write_all(b"\n")).map_err(|error| unwritable(&place, error))?;
        }
        state.kept = Some((place, file));
        state.learn(&text);
        Ok(state)
    }
}

impl State {
    fn learn(&mut self, text: &str) {
        let mut lines = text.lines();
        let first = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        let Some(begun) = first else {
            return;
        };
        self.begun = Some(begun);
        let parts = lines.filter_map(|line| serde_json::from_str::<SentPart>(line).ok());
        self.parts = parts.map(|part| (part.part_number, part)).collect();
    }

    /// Remembers a session, and nothing of one before.
    pub(super) fn begin(&mut self, begun: Begun) -> Result<()> {
        self.parts.clear();
        if let Some((place, file)) = &mut self.kept {
            let emptied = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            emptied.map_err(|error| unwritable(place, error))?;
        }
        self.write(&begun)?;
        self.begun = Some(begun);
        Ok(())
    }

    /// Remembers that a part went out.
    pub(super) fn sent(&mut self, part: SentPart) -> Result<()> {
        self.write(&part)?;
        self.parts.insert(part.part_number, part);
        Ok(())
    }

    /// There is nothing to go on with any more.
    pub(super) fn forget(mut self) {
        self.begun = None;
    }

    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        let Some((place, file)) = &mut self.kept else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(value)
            .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
        line.push(b'\n');
        file.write_all(&line)
            .map_err(|error| unwritable(place, error))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let (None, Some((place, _))) = (&self.begun, &self.kept) {
            // One that stays names no session: the next run begins anew.
            let _ = fs::remove_file(place);
        }
    }
}

/// Removes what nobody comes back to. What cannot be looked at, or is worked on, stays.
fn remove_old(folder: &Path) {
    let is_old = |file: &fs::DirEntry| {
        let age = file.metadata().and_then(|about| about.modified()).ok();
        age.and_then(|touched| touched.elapsed().ok()) > Some(KEPT)
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.filter(is_old) {
        if let Ok(_ours) = claim(&file.path()) {
            let _ = fs::remove_file(file.path());
        }
    }
}

fn unwritable(place: &Path, source: std::io::Error) -> Error {
    Error::local(format!("cannot write {}", place.display()), source)
}

/// `upload-broker/uploads` in the user's state folder; among other data where the system has none.
fn folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    let base = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Some(base.join("upload-broker/uploads"))
}

/// One name an upload: the same file to the same path of the same broker.
fn name(broker: &str, file: &Path, path: &str) -> String {
    let mut hash = Sha256::new();
    for text in [broker.as_bytes(), file.as_os_str().as_encoded_bytes()] {
        hash.update(text);
        hash.update([0]);
    }
    hash.update(path);
    hex_prefix(&hash.finalize(), 16)
}
