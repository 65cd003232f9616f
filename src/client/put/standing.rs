//! Where a file stands: what an earlier run left of it.

use super::Put;
use super::item::Item;
use super::slice::Slice;
use super::state::{Begun, State};
use crate::client::api::wire::{Acknowledge, Checksum, Upload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;

const CHANGED: &str = "the file changed since: from its start";

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
        let state = self.memory.of(self.context.api.url(), &item)?;
        let standing = match state.begun.clone() {
            Some(begun) => self.assess(&item, &begun, &state).await?,
            None => Standing::New,
        };
        Ok(Prepared {
            item,
            state,
            standing,
        })
    }

    async fn assess(&self, item: &Item, begun: &Begun, state: &State) -> Result<Standing> {
        let reason = if !self.resume {
            None
        } else if begun.stamp != item.stamp {
            Some(CHANGED)
        } else if begun.options != self.digest {
            Some("was begun with other options: from its start")
        } else {
            match self.standing(begun).await {
                Ok(Standing::New) => return Ok(Standing::New),
                Ok(found) if self.still_fits(item, begun, state, &found).await? => {
                    return Ok(found);
                }
                Ok(_) => Some(CHANGED),
                // Sending needs fewer rights than reading does.
                Err(error) if error.is_problem("insufficient-scope") => {
                    Some("what was sent before cannot be read with this key: from its start")
                }
                Err(error) => return Err(error),
            }
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

    /// Whether the bytes of the file are those that the session was made for, or brought. The file
    /// is read again for that: a stamp can be the same by accident. Parts of a session that goes
    /// on are compared one by one, later.
    async fn still_fits(
        &self,
        item: &Item,
        begun: &Begun,
        state: &State,
        found: &Standing,
    ) -> Result<bool> {
        let file = item.open()?;
        let whole = Slice::of(&file, item.stamp.size);
        if let Some(before) = &begun.checksum {
            return is_of(&whole, before).await;
        }
        let Standing::Done(upload) = found else {
            return Ok(true);
        };
        let object = upload.object.as_ref();
        if let Some(proven) = object.and_then(|object| object.checksum.as_ref())
            && proven.is_of_whole()
        {
            return is_of(&whole, proven).await;
        }
        let Some(part_size) = begun.part_size.filter(|&size| size > 0) else {
            return Ok(false);
        };
        let parts = Slice::cut(&file, item.stamp.size, part_size);
        for (number, part) in (1..).zip(parts) {
            match state.parts.get(&number) {
                Some(sent) if is_of(&part, &sent.checksum).await? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Frees what a session has that nothing goes on with. One that has ended already is fine, and
    /// what cannot be freed now the broker frees at the session's end.
    pub(super) async fn give_up(&self, begun: &Begun) {
        let _ = self.context.api.cancel(begun.upload_id).await;
    }
}

/// Whether the bytes have this checksum; never where it cannot be computed here.
async fn is_of(slice: &Slice, checksum: &Checksum) -> Result<bool> {
    match Algorithm::named(&checksum.algorithm) {
        Some(algorithm) => Ok(slice.checksum(algorithm).await? == *checksum),
        None => Ok(false),
    }
}
