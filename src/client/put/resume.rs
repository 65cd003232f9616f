//! Determines what an earlier run has uploaded of a file.

use super::item::Item;
use super::slice::Slice;
use super::state::{SavedSession, UploadState};
use super::uploader::Uploader;
use crate::client::api::wire::{Checksum, Expected, Upload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;

const CHANGED: &str = "the file has changed: starting again";

/// The upload session that a file already has.
#[derive(Debug)]
pub(super) enum SessionState {
    /// There is no session that can be continued.
    None,
    /// There is an open session.
    Open(Box<Upload>),
    /// The object arrived and was proven; only the last steps of the earlier run are missing.
    Proven(Box<Upload>),
}

/// A file with its saved state.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) item: Item,
    pub(super) state: UploadState,
    pub(super) session_state: SessionState,
}

impl Uploader<'_> {
    /// Reads the saved state of a file, and checks its session.
    pub(super) async fn prepare(&self, item: Item) -> Result<Prepared> {
        let state = self.states.of(self.context.api.url(), &item)?;
        let session_state = match state.session.clone() {
            Some(session) => self.check_session(&item, &session, &state).await?,
            None => SessionState::None,
        };
        Ok(Prepared {
            item,
            state,
            session_state,
        })
    }

    async fn check_session(
        &self,
        item: &Item,
        session: &SavedSession,
        state: &UploadState,
    ) -> Result<SessionState> {
        let reason = if !self.resume {
            None
        } else if session.stamp != item.stamp {
            Some(CHANGED)
        } else if session.options != self.digest {
            Some("was started with other options: starting again")
        } else {
            match self.session_state(session).await {
                Ok(SessionState::None) => return Ok(SessionState::None),
                Ok(found) if self.has_same_bytes(item, session, state, &found).await? => {
                    return Ok(found);
                }
                Ok(_) => Some(CHANGED),
                // Reading the session needs a scope that uploading does not need.
                Err(error) if error.has_code("insufficient-scope") => {
                    Some("this key may not read the earlier session: starting again")
                }
                Err(error) => return Err(error),
            }
        };
        if let Some(reason) = reason {
            self.context
                .output
                .note(&format!("{}: {reason}", item.path));
        }
        self.cancel_session(session).await;
        Ok(SessionState::None)
    }

    async fn session_state(&self, session: &SavedSession) -> Result<SessionState> {
        let api = &self.context.api;
        let upload = match api.refresh(session.upload_id).await {
            Ok(upload) => upload,
            Err(error) if error.exit() == Exit::NotFound => return Ok(SessionState::None),
            Err(error) => return Err(error),
        };
        if upload.is_proven() {
            return Ok(SessionState::Proven(Box::new(upload)));
        }
        match upload.status.as_str() {
            "Pending" => Ok(SessionState::Open(Box::new(upload))),
            // The broker also accepts an object that arrived after the expiry.
            "Expired" => match api.acknowledge(upload.id, &Expected::default()).await {
                Ok(proven) => Ok(SessionState::Proven(Box::new(proven))),
                Err(Error::Refused(_)) => Ok(SessionState::None),
                Err(error) => Err(error),
            },
            _ => Ok(SessionState::None),
        }
    }

    /// Whether the file still has the bytes that the session was created for, or that were
    /// uploaded. The file is read again, because stamps can be equal by accident. The parts of an
    /// open session are compared later, one by one.
    async fn has_same_bytes(
        &self,
        item: &Item,
        session: &SavedSession,
        state: &UploadState,
        found: &SessionState,
    ) -> Result<bool> {
        let file = item.open()?;
        let whole = Slice::of(&file, item.stamp.size);
        if let Some(before) = &session.checksum {
            return has_checksum(&whole, before).await;
        }
        let SessionState::Proven(upload) = found else {
            return Ok(true);
        };
        let object = upload.object.as_ref();
        if let Some(proven) = object.and_then(|object| object.checksum.as_ref())
            && proven.is_full_object()
        {
            return has_checksum(&whole, proven).await;
        }
        let Some(part_size) = session.part_size.filter(|&size| size > 0) else {
            return Ok(false);
        };
        let parts = Slice::cut(&file, item.stamp.size, part_size);
        for (number, part) in (1..).zip(parts) {
            match state.parts.get(&number) {
                Some(sent) if has_checksum(&part, &sent.checksum).await? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Cancels a session that nothing continues with. A session that has already ended is no error,
    /// and if the cancel fails, the broker frees its parts when the session ends.
    pub(super) async fn cancel_session(&self, session: &SavedSession) {
        let _ = self.context.api.cancel(session.upload_id).await;
    }
}

/// Whether the bytes have this checksum; `false` if this client cannot compute it.
async fn has_checksum(slice: &Slice, checksum: &Checksum) -> Result<bool> {
    match Algorithm::from_name(&checksum.algorithm) {
        Some(algorithm) => Ok(slice.checksum(algorithm).await? == *checksum),
        None => Ok(false),
    }
}
