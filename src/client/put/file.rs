//! One file, from its session to its proof.
//!
//! What is remembered of it stays as long as its session waits for bytes: after a fault the next
//! run goes on. It goes when the session has ended, well or not.

use std::sync::Arc;

use uuid::Uuid;

use super::Put;
use super::parts::Tally;
use super::slice::Slice;
use super::sources::Item;
use super::standing::{Prepared, Standing};
use super::state::{Begun, State};
use crate::client::api::wire::{Acknowledge, NewUpload, Upload};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;

/// How long a session is asked to live that comes in parts, in seconds: as long as a broker may
/// let it. A laptop sleeps, a run is resumed on Monday.
const LONG_LIFE: u64 = 7 * 24 * 3600;

/// A file that is a dataset now.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) upload: Upload,
    pub(super) tally: Tally,
    /// Whether an earlier run had sent all of it.
    pub(super) already: bool,
}

impl Put<'_> {
    /// Uploads a file, by a session that was made for it or that it has; else by a new one.
    pub(super) async fn put_file(
        &self,
        prepared: Prepared,
        session: Option<Upload>,
        transfer: &Arc<Transfer>,
    ) -> Result<Done> {
        let Prepared {
            item,
            mut state,
            standing,
        } = prepared;
        let (mut session, resumed) = match (standing, session) {
            (Standing::Done(upload), _) => {
                transfer.advance(item.stamp.size);
                state.forget();
                return Ok(Done {
                    upload: *upload,
                    tally: Tally::default(),
                    already: true,
                });
            }
            (Standing::GoesOn(session), _) => (Some(*session), true),
            (Standing::New, session) => (session, false),
        };
        let mut sent = self
            .try_file(&item, session.take(), &mut state, transfer)
            .await;
        if resumed && sent.as_ref().is_err_and(has_ended) {
            let said = format!("{}: its session has ended: from its start", item.path);
            self.context.output.note(&said);
            state.begun = None;
            sent = self.try_file(&item, None, &mut state, transfer).await;
        }
        match sent {
            Ok((upload, tally)) => {
                state.forget();
                Ok(Done {
                    upload,
                    tally,
                    already: false,
                })
            }
            Err(error) => {
                self.after_failure(state, &error).await;
                Err(error)
            }
        }
    }

    async fn try_file(
        &self,
        item: &Item,
        session: Option<Upload>,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<(Upload, Tally)> {
        let session = match session {
            Some(session) => session,
            None => {
                let body = self.body(item).await?;
                let key = Uuid::new_v4().to_string();
                self.context.api.create(&body, &key).await?
            }
        };
        if state.begun.as_ref().map(|begun| begun.upload_id) != Some(session.id) {
            state.begin(Begun {
                upload_id: session.id,
                stamp: item.stamp,
                options: self.digest.clone(),
            })?;
        }
        if let Some(multipart) = session.multipart.clone() {
            // Where a session may not live longer, it lives on as long as its parts are asked for.
            let _ = self.context.api.extend(session.id, Some(LONG_LIFE)).await;
            return self
                .in_parts(item, &session, &multipart, state, transfer)
                .await;
        }
        let (id, size) = (session.id, item.stamp.size);
        let slice = Slice::File {
            file: item.open()?,
            offset: 0,
            size,
        };
        self.send_whole(session, &slice, transfer).await?;
        let claims = Acknowledge::default();
        let proven = self.context.api.acknowledge(id, &claims).await?;
        let tally = Tally {
            sent_bytes: size,
            ..Tally::default()
        };
        Ok((proven, tally))
    }

    /// What to ask for: a small file is read for its checksum first, which its URL then demands.
    pub(super) async fn body(&self, item: &Item) -> Result<NewUpload> {
        let size = item.stamp.size;
        if self.options.in_parts(size) {
            return Ok(self.options.parts(&item.path, Some(size)));
        }
        let checksum = match self.options.algorithm() {
            Some(algorithm) => {
                let slice = Slice::File {
                    file: item.open()?,
                    offset: 0,
                    size,
                };
                Some(slice.checksum(algorithm).await?)
            }
            None => None,
        };
        Ok(self.options.whole(&item.path, size, checksum))
    }

    /// Keeps what the next run can go on with, and nothing else.
    async fn after_failure(&self, state: State, error: &Error) {
        let Some(begun) = state.begun.clone() else {
            return;
        };
        if matches!(
            error,
            Error::Unavailable { .. } | Error::Local { .. } | Error::OutputClosed
        ) {
            return;
        }
        let changed = matches!(error, Error::Conflict(_));
        if changed {
            self.give_up(&begun).await;
        }
        match self.context.api.read(begun.upload_id).await {
            Ok(upload) if upload.status == "Pending" => {}
            Ok(_) => state.forget(),
            Err(_) if changed => state.forget(),
            Err(_) => {}
        }
    }
}

/// Whether the session can take no more bytes.
fn has_ended(error: &Error) -> bool {
    error.is_problem("invalid-status") || error.is_problem("upload-not-found")
}
