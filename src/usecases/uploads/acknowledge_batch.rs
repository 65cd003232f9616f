//! Acknowledge many: each upload by itself, several at once.
//!
//! The rows are read in one query, and what is proven at the same time is written in one statement
//! (see [`group`]). No connection is held while S3 is asked. Where Postgres or S3 fails for several
//! uploads in a row, those that have not begun are not tried: the caller is not kept waiting for a
//! thousand time-outs.
//!
//! Each acknowledge runs to its end once it has begun, also when the caller hangs up or its time is
//! over; those that have not begun by then never do.
//!
//! [`group`]: crate::usecases::batching

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::domain::principal::Principal;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::acknowledge::{self, Expected};
use crate::usecases::uploads::find;

/// Entries of a batch at most.
pub const MAX_ENTRIES: usize = 1000;

/// Uploads that are acknowledged concurrently.
const CONCURRENT_UPLOADS: usize = 32;

/// After so many failures of dependencies in a row no further upload is tried. More than one: a
/// single upload may fail for reasons of its own, and must not keep all others from their proof.
const MAX_CONSECUTIVE_FAILURES: usize = 8;

/// What became of an entry.
#[derive(Debug)]
pub enum Outcome {
    /// It is acknowledged.
    Done(Box<Upload>),
    /// It is not.
    Failed(Error),
    /// It was not tried, because this failed for those before it.
    NotTried(Dependency),
    /// It had not ended in time, or not begun. It may be done later.
    Unanswered,
}

/// Acknowledges each entry, or says why not, in their order; nothing of an entry that could not be
/// read. Answers at `until` at the latest.
///
/// Fails as a whole where something outside failed for every upload that it was asked for.
pub async fn acknowledge_many(
    broker: &Arc<Broker>,
    principal: &Principal,
    asked: Vec<Option<(Uuid, Expected)>>,
    until: Instant,
) -> Result<Vec<Option<Outcome>>> {
    let ids: Vec<Uuid> = asked.iter().flatten().map(|(id, _)| *id).collect();
    let mut connection = broker.connection().await?;
    let found = find::all_to_write(&mut connection, principal, &ids).await?;
    drop(connection);

    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(asked.len());
    let (mut known, mut found) = (Vec::new(), found.into_iter());
    for (place, entry) in asked.into_iter().enumerate() {
        let outcome = entry.and_then(|(_, expected)| Some((found.next()?, expected)));
        outcomes.push(outcome.map(|(found, expected)| match found {
            Ok(upload) => {
                known.push((place, upload, expected));
                Outcome::Unanswered
            }
            Err(refusal) => Outcome::Failed(refusal.into()),
        }));
    }
    let places: Vec<usize> = known.iter().map(|(place, ..)| *place).collect();
    acknowledge_all(broker, known, until, &mut outcomes).await;
    fail_if_all_failed(outcomes, &places)
}

/// Fills in what becomes of the uploads.
async fn acknowledge_all(
    broker: &Arc<Broker>,
    uploads: Vec<(usize, Upload, Expected)>,
    until: Instant,
    outcomes: &mut [Option<Outcome>],
) {
    let mut waiting = uploads.into_iter();
    let mut under_way = stream::FuturesUnordered::new();
    let mut failures = 0;
    loop {
        while under_way.len() < CONCURRENT_UPLOADS
            && let Some((place, upload, expected)) = waiting.next()
        {
            let acknowledged = acknowledge::to_end(broker, upload, expected);
            under_way.push(async move { (place, acknowledged.await) });
        }
        let Ok(Some((place, acknowledged))) = timeout_at(until, under_way.next()).await else {
            return;
        };
        let failed = match &acknowledged {
            Err(Error::Unavailable { dependency, .. } | Error::Overloaded(dependency)) => {
                failures += 1;
                Some(*dependency)
            }
            Ok(_) | Err(_) => {
                failures = 0;
                None
            }
        };
        if let Some(outcome) = outcomes.get_mut(place) {
            *outcome = Some(match acknowledged {
                Ok(upload) => Outcome::Done(Box::new(upload)),
                Err(error) => Outcome::Failed(error),
            });
        }
        if let Some(dependency) = failed
            && failures >= MAX_CONSECUTIVE_FAILURES
        {
            for (place, ..) in waiting.by_ref() {
                if let Some(outcome) = outcomes.get_mut(place) {
                    *outcome = Some(Outcome::NotTried(dependency));
                }
            }
        }
    }
}

/// The outcomes; one failure for all where nothing else came of any upload.
fn fail_if_all_failed(
    mut outcomes: Vec<Option<Outcome>>,
    places: &[usize],
) -> Result<Vec<Option<Outcome>>> {
    let is_failure = |place: &usize| {
        !matches!(
            outcomes.get(*place),
            Some(Some(
                Outcome::Done(_) | Outcome::Failed(Error::Refused(_) | Error::Internal(_))
            ))
        )
    };
    if places.is_empty() || !places.iter().all(is_failure) {
        return Ok(outcomes);
    }
    for place in places {
        if let Some(Outcome::Failed(error)) = outcomes.get_mut(*place).and_then(Option::take) {
            return Err(error);
        }
    }
    Err(Error::Overloaded(Dependency::S3))
}
