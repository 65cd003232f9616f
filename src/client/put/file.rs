//! One file, from its session to its proof.
//!
//! What is remembered of it stays as long as its session waits for bytes: after a fault the next
//! run goes on. It goes when the session has ended, well or not.

use std::sync::Arc;

use uuid::Uuid;

use super::Put;
use super::done::{Already, Done};
use super::draft::Draft;
use super::item::Item;
use super::parts::Tally;
use super::standing::{Prepared, Standing};
use super::state::{Begun, State};
use crate::client::api::wire::{Acknowledge, Upload};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::s3;

/// How long a session is asked to live that comes in parts, in seconds: as long as a broker may
/// let it. A laptop sleeps, a run is resumed on Monday.
const LONG_LIFE: u64 = 7 * 24 * 3600;

/// A file whose bytes the store has.
#[derive(Debug)]
pub(super) enum Brought {
    /// It is proven.
    Done(Box<Done>),
    /// It waits for its acknowledge.
    Waits(Box<Waiting>),
}

/// A file that waits for its acknowledge.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: Uuid,
    pub(super) claims: Acknowledge,
    state: State,
    sent_bytes: u64,
}

/// What became of the bytes of a file.
enum Sent {
    /// In one request: the claims of the acknowledge that is due.
    Whole(Uuid, Acknowledge),
    /// In parts, of which the broker has made the proven object.
    Proven(Box<Upload>, Tally),
}

impl Put<'_> {
    /// Sends a file, by a session that was made for it or that it has; else by a new one.
    pub(super) async fn bring(
        &self,
        prepared: Prepared,
        session: Option<(Upload, Draft)>,
        transfer: &Arc<Transfer>,
    ) -> Result<Brought> {
        let Prepared {
            item,
            mut state,
            standing,
        } = prepared;
        let (session, resumed) = match (standing, session) {
            (Standing::Done(upload), _) => {
                transfer.advance(item.stamp.size);
                state.forget();
                let already = Some(Already::Sent);
                let done = Done::proven(*upload, Tally::default(), already);
                return Ok(Brought::Done(Box::new(done)));
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
            Ok(Sent::Whole(id, claims)) => Ok(Brought::Waits(Box::new(Waiting {
                id,
                claims,
                state,
                sent_bytes: item.stamp.size,
            }))),
            Ok(Sent::Proven(upload, tally)) => {
                state.forget();
                let done = Done::proven(*upload, tally, None);
                Ok(Brought::Done(Box::new(done)))
            }
            Err(error) => {
                self.after_failure(state, &error).await;
                Err(error)
            }
        }
    }

    /// Ends with what the acknowledge of a file said.
    pub(super) async fn finish(&self, waiting: Waiting, proven: Result<Upload>) -> Result<Done> {
        match proven {
            Ok(upload) => {
                waiting.state.forget();
                let tally = Tally {
                    sent_bytes: waiting.sent_bytes,
                    ..Tally::default()
                };
                Ok(Done::proven(upload, tally, None))
            }
            Err(error) => {
                self.after_failure(waiting.state, &error).await;
                Err(error)
            }
        }
    }

    async fn send_anew(
        &self,
        item: &Item,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<Sent> {
        let draft = self.draft(item).await?;
        let key = Uuid::new_v4().to_string();
        let session = self.context.api.create(&draft.body, &key).await?;
        self.send(item, (session, false), Some(draft), state, transfer)
            .await
    }

    /// Sends the file by a session; in parts until it is proven.
    async fn send(
        &self,
        item: &Item,
        (session, resumed): (Upload, bool),
        draft: Option<Draft>,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<Sent> {
        let mut whole = draft.and_then(|draft| draft.whole);
        if whole.is_none() && session.multipart.is_none() {
            whole = Some(self.read_whole(item).await?);
        }
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
        let whole = match (session.multipart.clone(), whole) {
            (None, Some(whole)) => whole,
            (Some(multipart), _) => {
                // Where a session may not live longer, it lives on as long as its parts are asked
                // for.
                let _ = self.context.api.extend(session.id, Some(LONG_LIFE)).await;
                let (upload, tally) = self
                    .in_parts(item, (&session, resumed), &multipart, state, transfer)
                    .await?;
                return Ok(Sent::Proven(Box::new(upload), tally));
            }
            (None, None) => return Err(Error::Strange("the session takes no bytes".to_owned())),
        };
        let id = session.id;
        self.send_whole(session, &whole.slice, Some(&whole.checksum), transfer)
            .await?;
        // Only what is still the file when all of it has gone out is called done.
        item.open()?;
        let claims = Acknowledge {
            checksum: self.options.algorithm().map(|_| whole.checksum),
            size: Some(item.stamp.size),
            etag: None,
        };
        Ok(Sent::Whole(id, claims))
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
        Error::Refused(problem) => problem.status == 401 || error.may_pass(),
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
