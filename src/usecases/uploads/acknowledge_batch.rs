//! Acknowledges many uploads: each on its own, several at once.
//!
//! The rows are read in one query, and proofs that are ready at the same time are written in one
//! statement (see [`batching`]). No connection is held while S3 is called. If Postgres or S3 fails
//! for several uploads in a row, the remaining ones are not tried, so that the caller does not wait
//! for a thousand timeouts.
//!
//! An acknowledge that has started runs to its end, even if the caller disconnects or the deadline
//! passes; those that have not started by then are not started.
//!
//! [`batching`]: crate::usecases::batching

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::domain::principal::Principal;
use crate::domain::upload::{Upload, Verifier};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::acknowledge::{self, Expected};
use crate::usecases::uploads::find;

/// The largest number of entries in a batch.
pub const MAX_ENTRIES: usize = 1000;

/// The number of uploads that are acknowledged concurrently.
const CONCURRENT_UPLOADS: usize = 32;

/// The number of consecutive failures of dependencies after which no further upload is tried. It is
/// more than one, because a single upload may fail for its own reasons and must not prevent the
/// others.
const MAX_CONSECUTIVE_FAILURES: usize = 8;

/// The outcome of an entry.
#[derive(Debug)]
pub enum Outcome {
    /// The upload is acknowledged.
    Done(Box<Upload>),
    /// The upload could not be acknowledged.
    Failed(Error),
    /// The upload was not tried, because this dependency failed for the previous uploads.
    NotTried(Dependency),
    /// The acknowledge had not started or not ended by the deadline. It may still succeed.
    Unanswered,
}

/// Acknowledges each entry, and returns the outcomes in the order of the entries; `None` for an
/// entry that could not be parsed. Returns at `until` at the latest.
///
/// Fails as a whole if a dependency failed for every upload.
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

/// Acknowledges the uploads, and writes their outcomes to `outcomes`.
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
            let acknowledged =
                acknowledge::acknowledge_to_end(broker, upload, expected, Verifier::Acknowledge);
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

/// Returns the outcomes, or a single error if a dependency failed for every upload.
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
