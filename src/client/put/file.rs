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
use crate::client::api::wire::{Acknowledge, Checksum, NewUpload, Upload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::s3;

/// How long a session is asked to live that comes in parts, in seconds: as long as a broker may
/// let it. A laptop sleeps, a run is resumed on Monday.
const LONG_LIFE: u64 = 7 * 24 * 3600;

/// A session to be asked for.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) body: NewUpload,
    /// None of a file that goes in parts.
    whole: Option<Whole>,
}

/// A file that goes in one request.
#[derive(Debug)]
struct Whole {
    slice: Slice,
    checksum: Checksum,
}

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
        session: Option<(Upload, Draft)>,
        transfer: &Arc<Transfer>,
    ) -> Result<Done> {
        let Prepared {
            item,
            mut state,
            standing,
        } = prepared;
        let (session, resumed) = match (standing, session) {
            (Standing::Done(upload), _) => {
                transfer.advance(item.stamp.size);
                state.forget();
                return Ok(Done {
                    upload: *upload,
                    tally: Tally::default(),
                    already: true,
                });
            }
            (Standing::GoesOn(session), _) => (Some((*session, None)), true),
            (Standing::New, session) => (session.map(|(made, draft)| (made, Some(draft))), false),
        };
        let mut sent = match session {
            Some((session, draft)) => {
                self.send(&item, (session, resumed), draft, &mut state, transfer)
                    .await
            }
            None => self.send_anew(&item, &mut state, transfer).await,
        };
        if let Err(error) = &sent
            && let Some(reason) = begins_anew(error, resumed)
        {
            let said = format!("{}: {reason}: from its start", item.path);
            self.context.output.note(&said);
            if let Some(begun) = state.begun.take() {
                self.give_up(&begun).await;
            }
            sent = self.send_anew(&item, &mut state, transfer).await;
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

    async fn send_anew(
        &self,
        item: &Item,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<(Upload, Tally)> {
        let draft = self.draft(item).await?;
        let key = Uuid::new_v4().to_string();
        let session = self.context.api.create(&draft.body, &key).await?;
        self.send(item, (session, false), Some(draft), state, transfer)
            .await
    }

    /// Sends the file by a session, and has it proven.
    async fn send(
        &self,
        item: &Item,
        (session, resumed): (Upload, bool),
        draft: Option<Draft>,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<(Upload, Tally)> {
        let whole = match draft {
            Some(draft) => draft.whole,
            None if session.multipart.is_none() => Some(self.read_whole(item).await?),
            None => None,
        };
        if state.begun.as_ref().map(|begun| begun.upload_id) != Some(session.id) {
            let multipart = session.multipart.as_ref();
            state.begin(Begun {
                upload_id: session.id,
                stamp: item.stamp,
                options: self.digest.clone(),
                checksum: whole.as_ref().map(|whole| whole.checksum.clone()),
                part_size: multipart.and_then(|multipart| multipart.part_size),
            })?;
        }
        if let Some(multipart) = session.multipart.clone() {
            // Where a session may not live longer, it lives on as long as its parts are asked for.
            let _ = self.context.api.extend(session.id, Some(LONG_LIFE)).await;
            return self
                .in_parts(item, (&session, resumed), &multipart, state, transfer)
                .await;
        }
        let whole = match whole {
            Some(whole) => whole,
            None => self.read_whole(item).await?,
        };
        let (id, size) = (session.id, item.stamp.size);
        self.send_whole(session, &whole.slice, Some(&whole.checksum), transfer)
            .await?;
        // Only what is still the file when all of it has gone out is called done.
        item.open()?;
        let claims = Acknowledge {
            checksum: self.options.algorithm().map(|_| whole.checksum),
            size: Some(size),
            etag: None,
        };
        let proven = self.context.api.acknowledge(id, &claims).await?;
        let tally = Tally {
            sent_bytes: size,
            ..Tally::default()
        };
        Ok((proven, tally))
    }

    /// What to ask for: a small file is read for its checksum first, which its URL then demands.
    pub(super) async fn draft(&self, item: &Item) -> Result<Draft> {
        let size = item.stamp.size;
        if self.options.in_parts(size) {
            return Ok(Draft {
                body: self.options.parts(&item.path, Some(size)),
                whole: None,
            });
        }
        let whole = self.read_whole(item).await?;
        let checksum = self.options.algorithm().map(|_| whole.checksum.clone());
        Ok(Draft {
            body: self.options.whole(&item.path, size, checksum),
            whole: Some(whole),
        })
    }

    /// Reads all of a file, and ensures that it did not change meanwhile.
    async fn read_whole(&self, item: &Item) -> Result<Whole> {
        let file = item.open()?;
        let slice = Slice::of(&file, item.stamp.size);
        let algorithm = self.options.algorithm().unwrap_or(Algorithm::Crc64nvme);
        let checksum = slice.checksum(algorithm).await?;
        match file.is_unchanged(&item.stamp)? {
            true => Ok(Whole { slice, checksum }),
            false => Err(file.changed()),
        }
    }

    /// Keeps what the next run can go on with; frees anything else.
    async fn after_failure(&self, state: State, error: &Error) {
        let Some(begun) = state.begun.clone() else {
            return;
        };
        if !can_go_on(error) {
            self.give_up(&begun).await;
            state.forget();
        }
    }
}

/// Whether the same command may go on with the session after this error.
fn can_go_on(error: &Error) -> bool {
    match error {
        Error::Unavailable { .. } | Error::Local { .. } | Error::OutputClosed => true,
        // A key that ended can be replaced by another one.
        Error::Refused(problem) => matches!(problem.status, 401 | 408 | 429 | 500..),
        Error::Store { .. } => s3::may_pass(error) || s3::is_stale(error),
        _ => false,
    }
}

/// Why a session can take no more bytes where another one may.
fn begins_anew(error: &Error, resumed: bool) -> Option<&'static str> {
    let ended = error.is_problem("invalid-status") || error.is_problem("upload-not-found");
    if resumed && ended {
        return Some("its session has ended");
    }
    // To send takes one scope, to ask what became of it another.
    (error.is_problem("insufficient-scope")).then_some("its session cannot be read with this key")
}
