//! The bytes: one file a body, named by a random id and never changed once the index names it.
//!
//! A key never becomes part of a path, so any key is safe. A body that the index does not name is
//! rubbish: a [`Draft`] removes its own, and [`Bodies::sweep`] those of a process that died.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::Fault;

/// Bytes read or written at once.
pub(super) const CHUNK: usize = 256 * 1024;

/// Names a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct BodyId(Uuid);

impl BodyId {
    /// As a key of the index.
    pub(super) fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

/// The folder of bodies: `<root>/<first two digits>/<id>`.
#[derive(Debug)]
pub(super) struct Bodies {
    root: PathBuf,
    fsync: bool,
}

impl Bodies {
    pub(super) fn open(root: PathBuf, fsync: bool) -> io::Result<Self> {
        DirBuilder::new().recursive(true).create(&root)?;
        Ok(Self { root, fsync })
    }

    /// A new body, empty. Gone again when the draft is dropped before [`Draft::keep`].
    pub(super) fn draft(self: &Arc<Self>) -> io::Result<Draft> {
        let (id, path) = self.reserve()?;
        let file = File::create_new(&path)?;
        Ok(Draft {
            id,
            file: Some(file),
            bodies: Arc::clone(self),
            kept: false,
        })
    }

    /// A new body with the bytes of another: a second name for them where the file system can, and
    /// where the first is not gone since it was `opened`.
    pub(super) fn draft_copy(
        self: &Arc<Self>,
        source: BodyId,
        opened: &mut File,
    ) -> io::Result<Draft> {
        let (id, path) = self.reserve()?;
        if fs::hard_link(self.path(source), &path).is_ok() {
            return Ok(Draft {
                id,
                file: None,
                bodies: Arc::clone(self),
                kept: false,
            });
        }
        let mut draft = self.draft()?;
        opened.rewind()?;
        if let Some(file) = draft.file.as_mut() {
            io::copy(opened, file)?;
        }
        Ok(draft)
    }

    pub(super) fn read(&self, id: BodyId) -> io::Result<File> {
        File::open(self.path(id))
    }

    /// Readers that have it open keep reading. A failure leaves the file for the next sweep.
    pub(super) fn remove(&self, id: BodyId) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            log::warn!(target: "upload_broker::dev::s3", "cannot remove a body: {error}");
        }
    }

    /// Removes every file that `wanted` does not know. Only before the first request.
    pub(super) fn sweep(&self, wanted: impl Fn(u128) -> Result<bool, Fault>) -> Result<u64, Fault> {
        let mut removed = 0;
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let id = file
                    .file_name()
                    .to_str()
                    .and_then(|name| Uuid::try_parse(name).ok());
                let Some(id) = id else { continue };
                if !wanted(id.as_u128())? {
                    fs::remove_file(file.path())?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn reserve(&self) -> io::Result<(BodyId, PathBuf)> {
        let id = BodyId(Uuid::new_v4());
        let path = self.path(id);
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            DirBuilder::new().recursive(true).create(folder)?;
            self.sync_folder_of(folder)?;
        }
        Ok((id, path))
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        if self.fsync { file.sync_all() } else { Ok(()) }
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        path.parent()
            .map_or(Ok(()), |folder| self.sync_file(&File::open(folder)?))
    }

    fn path(&self, id: BodyId) -> PathBuf {
        let name = id.0.simple().to_string();
        let folder: String = name.chars().take(2).collect();
        self.root.join(folder).join(name)
    }
}

/// A body that no object has yet.
#[derive(Debug)]
pub(super) struct Draft {
    id: BodyId,
    file: Option<File>,
    bodies: Arc<Bodies>,
    kept: bool,
}

impl Draft {
    pub(super) fn id(&self) -> BodyId {
        self.id
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file
            .as_mut()
            .map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Puts the bytes and the file's name on disk: what the index names must be there after a
    /// power cut too.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            self.bodies.sync_file(&file)?;
        }
        self.bodies.sync_folder_of(&self.bodies.path(self.id))
    }

    /// The index names it now.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.bodies.remove(self.id);
        }
    }
}
