//! Copy: a dataset at a second path, or moved there. The bytes do not leave the store.
//!
//! A copy is an upload whose bytes the store itself brings. Its Pending row comes first, with the
//! limits and quotas of any upload, then the store copies, and then the acknowledge proves what
//! stands at the target. A crash in between leaves a Pending row that the janitor proves or lets
//! expire. A move deletes the upload at the source once the copy is proven, by its id: a newer
//! dataset at the source stays.

mod run;
mod source;
mod target;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::broker::Broker;
use super::error::{Dependency, Error, Result};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::upload::Upload;

/// Copies at once.
pub const AT_ONCE: usize = 16;

/// Where a copy goes, as it came; see the contract of `POST /datasets/{path}/action/copy`.
#[derive(Clone, Debug)]
pub struct CopyTo {
    /// The target, with or without the leading slash.
    pub to: String,
    /// Whether an object that stands there may be replaced.
    pub overwrite: Option<bool>,
    /// Replace exactly this version.
    pub if_match: Option<String>,
    /// Whether the source is deleted once the copy is proven.
    pub moves: bool,
}

/// What came of a copy.
#[derive(Debug)]
pub enum Outcome {
    /// The copy is proven.
    Done {
        /// The upload at the target.
        upload: Box<Upload>,
        /// The upload that was deleted at the source.
        removed: Option<Box<Upload>>,
    },
    /// The store is still at it; the row says when it is done.
    UnderWay(Box<Upload>),
}

/// Copies the dataset at `from`. Goes on when the caller disconnects, and answers at `until` at the
/// latest.
///
/// Refused where nothing stands at `from`, or no longer what was proven there, where the target
/// may not be written, and as any new upload is.
pub async fn copy(
    broker: &Arc<Broker>,
    principal: &Arc<Principal>,
    from: &DatasetPath,
    asked: CopyTo,
    until: Instant,
) -> Result<Outcome> {
    let moves = asked.moves;
    let source = broker.find_source(principal, from, moves).await?;
    let draft = broker.declare_copy(principal, from, &source, asked)?;
    broker.ensure_target_is_free(&draft.upload).await?;
    let permit = timeout_at(until, Arc::clone(&broker.copies).acquire_owned());
    let permit = match permit.await {
        Ok(permit) => permit.map_err(|closed| Error::Internal(closed.into()))?,
        Err(_) => return Err(Error::Overloaded(Dependency::S3)),
    };
    let (written, mut row) = oneshot::channel();
    let (this, principal) = (Arc::clone(broker), Arc::clone(principal));
    let whole = broker.to_end(async move {
        let _permit = permit;
        let upload = this.write_copy(draft, &source, &principal).await?;
        // The receiver is gone where the caller has disconnected.
        let _ = written.send(upload.clone());
        let upload = this.run_copy(upload, &source).await?;
        let removed = match moves {
            true => this.remove_source(&principal, &source).await?,
            false => None,
        };
        Ok((upload, removed))
    });
    match timeout_at(until, whole).await {
        Ok(done) => {
            let (upload, removed) = done?;
            Ok(Outcome::Done {
                upload: Box::new(upload),
                removed: removed.map(Box::new),
            })
        }
        Err(_) => match row.try_recv() {
            Ok(upload) => Ok(Outcome::UnderWay(Box::new(upload))),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        },
    }
}
