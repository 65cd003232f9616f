//! Copy: a dataset at a second path, or moved there. The bytes do not leave the store.
//!
//! A copy is an upload whose bytes the store itself brings. Its Pending row comes first, with the
//! limits and quotas of any upload, then the store copies, and then the acknowledge proves what
//! stands at the target. A crash in between leaves a Pending row that the janitor proves or lets
//! expire. A move deletes the upload at the source once the copy is proven, by its id: a newer
//! dataset at the source stays.

mod asked;
mod once;
mod run;
mod source;
mod target;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

pub use self::asked::CopyTo;
use self::once::Claim;
use self::source::Source;
use super::broker::Broker;
use super::declare::Draft;
use super::error::{Dependency, Error, Result};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;

/// Copies at once.
pub const AT_ONCE: usize = 16;

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

/// The row of a copy.
enum Row {
    /// It is to be written, under a key where there is one.
    New(Box<Draft>, Option<Claim>),
    /// An earlier request with the same key wrote it.
    Before(Box<Upload>),
}

/// Copies the dataset at `from`. Goes on when the caller disconnects, and answers at `until` at the
/// latest. With an idempotency `key`, the same request again goes on with the upload that the first
/// one made.
///
/// Refused where nothing stands at `from`, or no longer what was proven there, where the target
/// may not be written, where the key came with another request, and as any new upload is.
pub async fn copy(
    broker: &Arc<Broker>,
    principal: &Arc<Principal>,
    from: &DatasetPath,
    asked: CopyTo,
    key: Option<&str>,
    until: Instant,
) -> Result<Outcome> {
    let moves = asked.moves;
    let claim = key.map(|key| Claim::of(key, from, &asked)).transpose()?;
    let before = match &claim {
        Some(claim) => broker.copied_before(principal, claim).await?,
        None => None,
    };
    match before {
        Some(upload) if upload.status != Status::Pending => {
            let removed = match moves && upload.was_acknowledged() {
                true => broker.remove_copied(principal, from, &upload).await?,
                false => None,
            };
            let copied = Copied {
                upload,
                before: true,
                removed,
            };
            Ok(Outcome::Done(Box::new(copied)))
        }
        Some(upload) => {
            let source = broker.find_source(principal, from, moves).await?;
            let row = Row::Before(Box::new(upload));
            run(broker, principal, source, row, moves, until).await
        }
        None => {
            let source = broker.find_source(principal, from, moves).await?;
            let draft = broker.declare_copy(principal, from, &source, asked)?;
            broker.ensure_target_is_free(&draft.upload).await?;
            let row = Row::New(Box::new(draft), claim);
            run(broker, principal, source, row, moves, until).await
        }
    }
}

async fn run(
    broker: &Arc<Broker>,
    principal: &Arc<Principal>,
    source: Source,
    row: Row,
    moves: bool,
    until: Instant,
) -> Result<Outcome> {
    let permit = timeout_at(until, Arc::clone(&broker.copies).acquire_owned());
    let permit = match permit.await {
        Ok(permit) => permit.map_err(|closed| Error::Internal(closed.into()))?,
        Err(_) => return Err(Error::Overloaded(Dependency::S3)),
    };
    let (written, mut upload) = oneshot::channel();
    let (this, principal) = (Arc::clone(broker), Arc::clone(principal));
    let whole = broker.to_end(async move {
        let _permit = permit;
        let (upload, before) = match row {
            Row::New(draft, claim) => this.write_copy(*draft, &source, &principal, claim).await?,
            Row::Before(upload) => (*upload, true),
        };
        // The receiver is gone where the caller has disconnected.
        let _ = written.send(upload.clone());
        let upload = match upload.status {
            Status::Pending => this.run_copy(upload, &source).await?,
            _ => upload,
        };
        let removed = match &source.upload {
            Some(original) if moves && upload.was_acknowledged() => {
                this.remove(&principal, original).await?
            }
            _ => None,
        };
        Ok(Copied {
            upload,
            before,
            removed,
        })
    });
    match timeout_at(until, whole).await {
        Ok(copied) => Ok(Outcome::Done(Box::new(copied?))),
        Err(_) => match upload.try_recv() {
            Ok(upload) => Ok(Outcome::UnderWay(Box::new(upload))),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        },
    }
}
