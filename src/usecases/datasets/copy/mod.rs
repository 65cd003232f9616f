//! Copies a dataset to a second path, or moves it. The bytes do not leave the store.
//!
//! A copy is an upload whose bytes are written by the store itself. Its Pending row is written
//! first, with the limits and quotas of any upload; then the store copies, and the acknowledge
//! proves the object at the target. A crash in between leaves a Pending row, which the janitor
//! proves or lets expire. A move then deletes the source upload by its id: a newer dataset at the
//! source is kept.

mod copy_to;
mod earlier_copy;
mod run;
mod source;
mod target;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

pub use self::copy_to::CopyTo;
use self::source::Source;
use self::target::Written;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::Code;
use crate::domain::status::Status;
use crate::domain::upload::{Upload, Verifier};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::acknowledge::{self, Expected};
use crate::usecases::uploads::create::validate::Draft;

/// The number of concurrent copies.
pub const CONCURRENT_COPIES: usize = 16;

/// The outcome of a copy.
#[derive(Debug)]
pub enum Outcome {
    /// The upload has ended; in general it is Uploaded.
    Done(Box<Copied>),
    /// The store is still copying; the status of the upload shows when it is done.
    UnderWay(Box<Upload>),
}

/// A completed copy.
#[derive(Debug)]
pub struct Copied {
    /// The upload at the target.
    pub upload: Upload,
    /// Whether an earlier request with the same key created it.
    pub is_repeated: bool,
    /// The upload that was deleted at the source, for a move.
    pub removed: Option<Upload>,
}

/// Copies the dataset at `from`. Continues if the caller disconnects, and returns at `until` at the
/// latest. With an idempotency `key`, a repeated request copies nothing again: it returns the
/// upload that the first one created.
///
/// Refuses a source without an object or with another object than the proven one, a target that may
/// not be written, a key that was used for another request, and everything that is refused for a
/// new upload.
pub async fn copy(
    broker: &Arc<Broker>,
    principal: &Arc<Principal>,
    from: &DatasetPath,
    request: CopyTo,
    key: Option<&str>,
    until: Instant,
) -> Result<Outcome> {
    let moves = request.moves;
    let reservation =
        (key.map(|key| earlier_copy::reservation(key, from, &request))).transpose()?;
    let earlier = match &reservation {
        Some(reservation) => broker.find_earlier_copy(principal, reservation).await?,
        None => None,
    };
    if let Some(upload) = earlier {
        return broker.follow_up(principal, from, upload, moves).await;
    }
    let prepared = broker.prepare_copy(principal, from, request).await;
    let (source, draft) = match (prepared, &reservation) {
        (Ok(prepared), _) => prepared,
        // An earlier request with the same key may have ended meanwhile.
        (Err(Error::Refused(refusal)), Some(reservation)) => {
            return match broker.find_earlier_copy(principal, reservation).await? {
                Some(upload) => broker.follow_up(principal, from, upload, moves).await,
                None => Err(Error::Refused(refusal)),
            };
        }
        (Err(error), _) => return Err(error),
    };
    let permit = timeout_at(until, Arc::clone(&broker.tasks.copies).acquire_owned());
    let permit = match permit.await {
        Ok(permit) => permit.map_err(|closed| Error::Internal(closed.into()))?,
        Err(_) => return Err(Error::Overloaded(Dependency::S3)),
    };
    let (written, mut row) = oneshot::channel();
    let (this, by) = (Arc::clone(broker), Arc::clone(principal));
    let work = broker.tasks.run_to_end(async move {
        let _permit = permit;
        let upload = match this.write_copy(draft, &source, &by, reservation).await? {
            Written::New(upload) => *upload,
            Written::Earlier(upload) => return Ok(Err(upload)),
        };
        // The receiver no longer exists if the caller has disconnected.
        let _ = written.send(upload.clone());
        let upload = this.run_copy(upload, &source).await?;
        let removed = match &source.upload {
            Some(original) if moves => this.remove(&by, original).await?,
            _ => None,
        };
        Ok(Ok(Copied {
            upload,
            is_repeated: false,
            removed,
        }))
    });
    match timeout_at(until, work).await {
        Ok(done) => match done? {
            Ok(copied) => Ok(Outcome::Done(Box::new(copied))),
            Err(earlier) => broker.follow_up(principal, from, *earlier, moves).await,
        },
        Err(_) => match row.try_recv() {
            Ok(upload) => Ok(Outcome::UnderWay(Box::new(upload))),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        },
    }
}

impl Broker {
    /// Finds the dataset and creates the draft of the upload. Changes nothing.
    async fn prepare_copy(
        &self,
        principal: &Principal,
        from: &DatasetPath,
        request: CopyTo,
    ) -> Result<(Source, Draft)> {
        let source = self.find_source(principal, from, request.moves).await?;
        let draft = self.declare_copy(principal, from, &source, request)?;
        self.ensure_target_is_free(&draft.upload).await?;
        Ok((source, draft))
    }

    /// Returns the state of a copy that an earlier request started. Nothing is copied again: the
    /// first copy may still be running, and a second one could replace it or its successor.
    async fn follow_up(
        self: &Arc<Self>,
        principal: &Principal,
        from: &DatasetPath,
        upload: Upload,
        moves: bool,
    ) -> Result<Outcome> {
        let upload = match upload.status {
            Status::Pending => {
                let proven = acknowledge::acknowledge_to_end(
                    self,
                    upload.clone(),
                    Expected::default(),
                    Verifier::Acknowledge,
                )
                .await;
                match proven {
                    Err(Error::Refused(refusal)) if is_under_way(refusal.code) => {
                        return Ok(Outcome::UnderWay(Box::new(upload)));
                    }
                    proven => proven?,
                }
            }
            _ => upload,
        };
        let removed = match moves && upload.was_acknowledged() {
            true => self.remove_copied(principal, from, &upload).await?,
            false => None,
        };
        Ok(Outcome::Done(Box::new(Copied {
            upload,
            is_repeated: true,
            removed,
        })))
    }
}

fn is_under_way(code: Code) -> bool {
    matches!(code, Code::ObjectMissing | Code::PartsMissing)
}
