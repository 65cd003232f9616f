//! Where a file stands: what an earlier run left of it.

use super::Put;
use super::sources::Item;
use super::state::{Begun, State};
use crate::client::api::wire::{Acknowledge, Upload};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;

/// Where a file stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// No session, or none to go on with.
    New,
    /// A session that waits for bytes.
    GoesOn(Box<Upload>),
    /// It came, and was proven: only the end of the earlier run is missing.
    Done(Box<Upload>),
}

/// A file, with what is remembered of it.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) item: Item,
    pub(super) state: State,
    pub(super) standing: Standing,
}

impl Put<'_> {
    /// Looks at what an earlier run left.
    pub(super) async fn prepare(&self, item: Item) -> Result<Prepared> {
        let state = State::open(self.context.api.url(), &item)?;
        let standing = match state.begun.clone() {
            Some(begun) => self.look(&item, &begun).await?,
            None => Standing::New,
        };
        Ok(Prepared {
            item,
            state,
            standing,
        })
    }

    async fn look(&self, item: &Item, begun: &Begun) -> Result<Standing> {
        let reason = if !self.resume {
            None
        } else if begun.stamp != item.stamp {
            Some("the file changed since: from its start")
        } else if begun.options != self.digest {
            Some("was begun with other options: from its start")
        } else {
            return self.standing(begun).await;
        };
        if let Some(reason) = reason {
            self.context
                .output
                .note(&format!("{}: {reason}", item.path));
        }
        self.give_up(begun).await;
        Ok(Standing::New)
    }

    async fn standing(&self, begun: &Begun) -> Result<Standing> {
        let api = &self.context.api;
        let upload = match api.refresh(begun.upload_id).await {
            Ok(upload) => upload,
            Err(error) if error.exit() == Exit::NotFound => return Ok(Standing::New),
            Err(error) => return Err(error),
        };
        if upload.is_proven() {
            return Ok(Standing::Done(Box::new(upload)));
        }
        match upload.status.as_str() {
            "Pending" => Ok(Standing::GoesOn(Box::new(upload))),
            // What came late is taken all the same.
            "Expired" => match api.acknowledge(upload.id, &Acknowledge::default()).await {
                Ok(proven) => Ok(Standing::Done(Box::new(proven))),
                Err(Error::Refused(_)) => Ok(Standing::New),
                Err(error) => Err(error),
            },
            _ => Ok(Standing::New),
        }
    }

    /// Frees what a session has that nobody goes on with. One that has ended already is fine, and
    /// what cannot be freed now the broker frees at the session's end.
    pub(super) async fn give_up(&self, begun: &Begun) {
        let _ = self.context.api.cancel(begun.upload_id).await;
    }
}
