//! Copy: a dataset at a second path, or moved there. The bytes do not leave the store.
//!
//! A copy is an upload whose bytes the store itself brings. Its Pending row comes first, with the
//! limits and quotas of any upload, then the store copies, and then the acknowledge proves what
//! stands at the target. A crash in between leaves a Pending row that the janitor proves or lets
//! expire. A move deletes the upload at the source once the copy is proven, by its id: a newer
//! dataset at the source stays.

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
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::acknowledge::{self, Expected};
use crate::usecases::uploads::create::validate::Draft;

/// Copies at once.
pub const CONCURRENT_COPIES: usize = 16;

/// What came of a copy.
#[derive(Debug)]
pub enum Outcome {
    /// The upload has ended, as a rule Uploaded.
    Done(Box<Copied>),
    /// The store is still at it; the row says when it is done.
    UnderWay(Box<Upload>),
}

/// A copy that was made.
#[derive(Debug)]
pub struct Copied {
    /// The upload at the target.
    pub upload: Upload,
    /// Whether an earlier request with the same key made it.
    pub before: bool,
    /// The upload that was deleted at the source.
    pub removed: Option<Upload>,
}

/// Copies the dataset at `from`. Goes on when the caller disconnects, and answers at `until` at the
/// latest. With an idempotency `key`, the same request again copies nothing anew: it follows the
/// upload that the first one made.
///
/// Refused where nothing stands at `from`, or no longer what was proven there, where the target
/// may not be written, where the key came with another request, and as any new upload is.
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
    let before = match &reservation {
        Some(reservation) => broker.find_earlier_copy(principal, reservation).await?,
        None => None,
    };
    if let Some(upload) = before {
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
    let whole = broker.tasks.run_to_end(async move {
        let _permit = permit;
        let upload = match this.write_copy(draft, &source, &by, reservation).await? {
            Written::New(upload) => *upload,
            Written::Earlier(upload) => return Ok(Err(upload)),
        };
        // The receiver is gone where the caller has disconnected.
        let _ = written.send(upload.clone());
        let upload = this.run_copy(upload, &source).await?;
        let removed = match &source.upload {
            Some(original) if moves => this.remove(&by, original).await?,
            _ => None,
        };
        Ok(Ok(Copied {
            upload,
            before: false,
            removed,
        }))
    });
    match timeout_at(until, whole).await {
        Ok(done) => match done? {
            Ok(copied) => Ok(Outcome::Done(Box::new(copied))),
            Err(before) => broker.follow_up(principal, from, *before, moves).await,
        },
        Err(_) => match row.try_recv() {
            Ok(upload) => Ok(Outcome::UnderWay(Box::new(upload))),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        },
    }
}

impl Broker {
    /// The dataset that is copied, and the upload that it becomes. Touches nothing.
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

    /// What became of a copy that an earlier request made. Nothing is copied again: its first try
    /// may still be under way, and would be replaced, or what replaced it.
    async fn follow_up(
        self: &Arc<Self>,
        principal: &Principal,
        from: &DatasetPath,
        upload: Upload,
        moves: bool,
    ) -> Result<Outcome> {
        let upload = match upload.status {
            Status::Pending => {
                let proven = acknowledge::to_end(self, upload.clone(), Expected::default()).await;
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
            before: true,
            removed,
        })))
    }
}

fn is_under_way(code: Code) -> bool {
    matches!(code, Code::ObjectMissing | Code::PartsMissing)
}
