//! The bytes of objects and parts: one file per body, named by a random id, and never changed once the
//! index refers to it.
//!
//! A key never becomes part of a file path, so any key is safe. A body that the index does not refer to is
//! useless: a [`Draft`] removes its own body, and [`Bodies::remove_unused`] removes the bodies of a process
//! that died.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::StoreError;

/// The number of bytes that are read or written at once.
pub(super) const CHUNK: usize = 256 * 1024;

/// The id of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct BodyId(Uuid);

impl BodyId {
    /// Returns the id as a key of the index.
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

    /// Creates a new, empty body. It is removed if the draft is dropped before [`Draft::persist`].
    pub(super) fn draft(self: &Arc<Self>) -> io::Result<Draft> {
        let (id, path) = self.reserve()?;
        let file = File::create_new(&path)?;
        Ok(Draft {
            id,
            file: Some(file),
            bodies: Arc::clone(self),
            is_persisted: false,
        })
    }

    /// Creates a new body with the bytes of another one. It is a hard link if the file system supports that,
    /// and if the source file still exists; otherwise the bytes are copied from `opened`.
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
                is_persisted: false,
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

    /// Removes a body. Readers that have it open can continue to read. If this fails, the next start
    /// removes the file.
    pub(super) fn remove(&self, id: BodyId) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            log::warn!(target: "upload_broker::dev::s3", "cannot remove a body: {error}");
        }
    }

    /// Removes every body for which `is_used` returns `false`. It may only be called before the first
    /// request.
    pub(super) fn remove_unused(
        &self,
        is_used: impl Fn(u128) -> Result<bool, StoreError>,
    ) -> Result<u64, StoreError> {
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
                if !is_used(id.as_u128())? {
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

/// A body that the index does not refer to yet.
#[derive(Debug)]
pub(super) struct Draft {
    id: BodyId,
    file: Option<File>,
    bodies: Arc<Bodies>,
    is_persisted: bool,
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

    /// Writes the bytes and the file name to the disk, because a body that the index refers to must exist
    /// even after a power cut.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            self.bodies.sync_file(&file)?;
        }
        self.bodies.sync_folder_of(&self.bodies.path(self.id))
    }

    /// Keeps the body, because the index refers to it now.
    pub(super) fn persist(mut self) {
        self.is_persisted = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_persisted {
            self.bodies.remove(self.id);
        }
    }
}
