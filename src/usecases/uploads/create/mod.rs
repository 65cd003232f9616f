//! Create: the single way by which new uploads get their rows and their URLs.
//!
//! A single create is a batch of one. The steps, each in its own file:
//!
//! ```text
//! sources ─▶ validate ─▶ idempotency: found earlier? ─▶ dry_run ─▶ presign ─▶ insert ─▶ sessions
//!                                          (parts only)            token allowance → quota → rows
//! ```
//!
//! What is refused of one entry is refused of that one alone. The rows of a batch are one
//! transaction, so that a fault of Postgres leaves all of them or none.
//!
//! | fault | leaves | repaired by |
//! |---|---|---|
//! | a crash after a multipart upload was begun at S3 | parts that no row names | the janitor aborts them |
//! | the answer to the insert is lost | the rows, or none | rows without a client expire |
//! | the answer to the client is lost | Pending rows without a client | they expire; with an idempotency key the client finds them again |

mod allowance;
mod dry_run;
mod free_path;
pub(in crate::usecases) mod idempotency;
mod insert;
mod new_upload;
mod presign;
mod quota;
mod sessions;
mod sources;
mod steps;
pub(in crate::usecases) mod validate;

use std::sync::Arc;

pub use new_upload::{DerivedFrom, NewUpload, UppyUpload};
pub use validate::default_content_type;

use self::idempotency::{Reservation, hide_earlier_upload};
use self::sources::Sources;
use self::steps::Request;
use crate::domain::principal::Principal;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::session::Session;

/// The most entries of a batch.
pub const MAX_BATCH: usize = 1000;

/// An upload session, and whether this call made it.
#[derive(Debug)]
pub enum Created {
    /// This call made it.
    New(Session),
    /// An earlier request with the same idempotency key and the same body made it.
    Before(Session),
}

/// Makes an upload session. With an idempotency `key`, finds the one that the key made within the
/// last 24 hours, or earlier where that is still Pending, and then with fresh URLs.
///
/// Refused where a field is wrong, a limit, a quota or a token allowance is exceeded, an
/// acknowledged dataset stands at the path and may not be replaced, or the key was sent with another
/// body.
pub async fn create(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: NewUpload,
    key: Option<&str>,
) -> Result<Created> {
    let reservation = key.map(|key| Reservation::of_one(key, &new)).transpose()?;
    let created = create_all(broker, principal, vec![Some(new)], reservation).await?;
    let created = created.into_iter().next().flatten();
    created.unwrap_or_else(|| Err(Error::Internal("a session has no result".into())))
}

/// Makes an upload session of each entry, or says why not, in their order; nothing of an entry that
/// is `None`, because it could not be read.
///
/// Fails as a whole where nothing can be written now, and where `key` was sent with another batch.
pub async fn create_batch(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: Vec<Option<NewUpload>>,
    key: Option<&str>,
) -> Result<Vec<Option<Result<Created>>>> {
    let reservation = (key.map(|key| Reservation::of_batch(key, &new))).transpose()?;
    create_all(broker, principal, new, reservation).await
}

async fn create_all(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: Vec<Option<NewUpload>>,
    reservation: Option<Reservation>,
) -> Result<Vec<Option<Result<Created>>>> {
    let now = broker.clock.now();
    let sources = Sources::find(broker, principal, &new).await?;
    let drafts = new.into_iter().map(|new| {
        let new = new?;
        let checked = sources.check_source_of(&new);
        Some(checked.and_then(|()| broker.validate(principal, new, now)))
    });
    let request = Request {
        drafts: drafts.collect(),
        reservation,
        tenant: principal.tenant.clone(),
        allowances: principal.bounds.token_allowances.clone(),
        now,
    };
    let written = match request.is_one_statement() {
        // The statement runs in a task of its own; there is nothing else to bring to an end.
        true => broker.write(request).await,
        false => {
            let this = Arc::clone(broker);
            let writing = async move { this.write(request).await };
            broker.tasks.run_to_end(writing).await
        }
    };
    let written = written.map_err(|error| hide_earlier_upload(principal, error))?;
    sessions::of(broker, principal, written).await
}
