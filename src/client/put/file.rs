//! Uploads one file, from its session to its proof.
//!
//! The saved state of a file is kept while its session is open, so that the next run can continue
//! after a failure. It is deleted when the session has ended, successfully or not.

use std::sync::Arc;

use uuid::Uuid;

use super::draft::Draft;
use super::item::Item;
use super::parts::Counts;
use super::report::{Finished, NothingSent};
use super::resume::{Prepared, SessionState};
use super::state::{SavedSession, UploadState};
use super::uploader::Uploader;
use crate::client::api::wire::{Expected, Upload};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::s3;

/// The lifetime in seconds that is requested for a multipart session: a week, the default maximum
/// of a broker. A laptop sleeps, and a run is resumed on Monday.
const LONG_LIFETIME: u64 = 7 * 24 * 3600;

/// A file whose bytes have arrived at the store.
#[derive(Debug)]
pub(super) enum SentFile {
    /// The broker has proven it.
    Finished(Box<Finished>),
    /// It has not been acknowledged yet.
    Unacknowledged(Box<Unacknowledged>),
}

/// A file that has to be acknowledged.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub(super) id: Uuid,
    pub(super) expected: Expected,
    state: UploadState,
    sent_bytes: u64,
}

/// The outcome of sending the bytes of a file.
enum Sent {
    /// Sent in one request; it has to be acknowledged with these expected values.
    Whole(Uuid, Expected),
    /// Sent in parts, which the broker has completed to the proven object.
    Proven(Box<Upload>, Counts),
}

impl Uploader<'_> {
    /// Sends a file, using its own session or the one that was created for it; otherwise creates
    /// one.
    pub(super) async fn send_file(
        &self,
        prepared: Prepared,
        session: Option<(Upload, Draft)>,
        transfer: &Arc<Transfer>,
    ) -> Result<SentFile> {
        let Prepared {
            item,
            mut state,
            session_state,
        } = prepared;
        let (session, resumed) = match (session_state, session) {
            (SessionState::Proven(upload), _) => {
                transfer.advance(item.stamp.size);
                state.discard();
                let nothing_sent = Some(NothingSent::SentBefore);
                let done = Finished::proven(*upload, Counts::default(), nothing_sent);
                return Ok(SentFile::Finished(Box::new(done)));
            }
            (SessionState::Open(session), _) => (Some((*session, None)), true),
            (SessionState::None, session) => {
                (session.map(|(made, draft)| (made, Some(draft))), false)
            }
        };
        let mut sent = match session {
            Some((session, draft)) => {
                self.send(&item, (session, resumed), draft, &mut state, transfer)
                    .await
            }
            None => {
                self.send_with_new_session(&item, &mut state, transfer)
                    .await
            }
        };
        if let Err(error) = &sent
            && let Some(reason) = why_new_session(error, resumed)
        {
            let message = format!("{}: {reason}: starting again", item.path);
            self.context.output.note(&message);
            if let Some(session) = state.session.take() {
                self.cancel_session(&session).await;
            }
            sent = self
                .send_with_new_session(&item, &mut state, transfer)
                .await;
        }
        match sent {
            Ok(Sent::Whole(id, expected)) => {
                Ok(SentFile::Unacknowledged(Box::new(Unacknowledged {
                    id,
                    expected,
                    state,
                    sent_bytes: item.stamp.size,
                })))
            }
            Ok(Sent::Proven(upload, counts)) => {
                state.discard();
                let done = Finished::proven(*upload, counts, None);
                Ok(SentFile::Finished(Box::new(done)))
            }
            Err(error) => {
                self.after_failure(state, &error).await;
                Err(error)
            }
        }
    }

    /// Ends the upload of a file with the result of its acknowledge.
    pub(super) async fn finish(
        &self,
        unacknowledged: Unacknowledged,
        proven: Result<Upload>,
    ) -> Result<Finished> {
        match proven {
            Ok(upload) => {
                unacknowledged.state.discard();
                let counts = Counts {
                    sent_bytes: unacknowledged.sent_bytes,
                    ..Counts::default()
                };
                Ok(Finished::proven(upload, counts, None))
            }
            Err(error) => {
                self.after_failure(unacknowledged.state, &error).await;
                Err(error)
            }
        }
    }

    async fn send_with_new_session(
        &self,
        item: &Item,
        state: &mut UploadState,
        transfer: &Arc<Transfer>,
    ) -> Result<Sent> {
        let draft = self.draft(item).await?;
        let key = Uuid::new_v4().to_string();
        let session = self.context.api.create(&draft.body, &key).await?;
        self.send(item, (session, false), Some(draft), state, transfer)
            .await
    }

    /// Sends the file through a session. A multipart session is also completed and proven.
    async fn send(
        &self,
        item: &Item,
        (session, resumed): (Upload, bool),
        draft: Option<Draft>,
        state: &mut UploadState,
        transfer: &Arc<Transfer>,
    ) -> Result<Sent> {
        let mut whole = draft.and_then(|draft| draft.whole);
        if whole.is_none() && session.multipart.is_none() {
            whole = Some(self.read_whole(item).await?);
        }
        if state.session.as_ref().map(|session| session.upload_id) != Some(session.id) {
            let multipart = session.multipart.as_ref();
            state.start_session(SavedSession {
                upload_id: session.id,
                stamp: item.stamp,
                options: self.digest.clone(),
                checksum: whole.as_ref().map(|whole| whole.checksum.clone()),
                part_size: multipart.and_then(|multipart| multipart.part_size),
            })?;
        }
        let whole = match (session.multipart.clone(), whole) {
            (None, Some(whole)) => whole,
            (Some(multipart), _) => {
                // The broker may refuse a longer lifetime. Then the session is extended by the
                // requests for its parts.
                let _ = self
                    .context
                    .api
                    .extend(session.id, Some(LONG_LIFETIME))
                    .await;
                let (upload, counts) = self
                    .in_parts(item, (&session, resumed), &multipart, state, transfer)
                    .await?;
                return Ok(Sent::Proven(Box::new(upload), counts));
            }
            (None, None) => {
                return Err(Error::UnexpectedResponse(
                    "the session has neither a PUT URL nor parts".to_owned(),
                ));
            }
        };
        let id = session.id;
        self.send_whole(session, &whole.slice, Some(&whole.checksum), transfer)
            .await?;
        // If the file changed while it was sent, the upload must not count as done.
        item.open()?;
        let expected = Expected {
            checksum: self.options.algorithm().map(|_| whole.checksum),
            size: Some(item.stamp.size),
            etag: None,
        };
        Ok(Sent::Whole(id, expected))
    }

    /// Keeps the state if the next run can continue with it; otherwise cancels the session.
    async fn after_failure(&self, state: UploadState, error: &Error) {
        let Some(session) = state.session.clone() else {
            return;
        };
        if !can_be_resumed(error) {
            self.cancel_session(&session).await;
            state.discard();
        }
    }
}

/// Whether the same command can continue with the session after this error.
fn can_be_resumed(error: &Error) -> bool {
    match error {
        Error::Unavailable { .. } | Error::Local { .. } | Error::OutputClosed => true,
        // An expired key can be replaced by another one.
        Error::Refused(problem) => problem.status == 401 || error.is_transient(),
        Error::Store { .. } => s3::is_transient(error) || s3::is_url_rejected(error),
        _ => false,
    }
}

/// Why the session cannot be used, if a new one may succeed.
fn why_new_session(error: &Error, resumed: bool) -> Option<&'static str> {
    let ended = error.has_code("invalid-status") || error.has_code("upload-not-found");
    if resumed && ended {
        return Some("its session has ended");
    }
    // Uploading and reading the session need different scopes.
    (error.has_code("insufficient-scope")).then_some("this key may not read its session")
}
