//! Turns: one caller at a time completes an upload.
//!
//! S3 may take minutes to make an object of its parts. Whoever asks again meanwhile, because its
//! request timed out, waits for the one that is at it instead of asking S3 for the same once more.
//! Other replicas do not wait: completing twice does no harm. Nor does their janitor abort what is
//! completed here: the deadline of the row is moved before that.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex as Lock, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::domain::part_plan::MAX_PARTS;
use crate::domain::upload::Upload;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::keyed::Keyed;

/// Parts in all that are listed and completed at once: each takes about half a kilobyte meanwhile.
const PARTS: usize = 100_000;

/// How long one waits. Whoever asked has been told by then to ask again later, and where S3 fails,
/// nobody shall find that out one after the other.
const PATIENCE: Duration = Duration::from_secs(30);

/// Uploads that somebody completes, or waits to complete.
pub struct Turns {
    locks: Keyed<Uuid, Lock<()>>,
    /// In parts.
    room: Arc<Semaphore>,
}

/// One upload, for as long as it is held, and room for its parts.
pub(in crate::usecases) struct Turn {
    _lock: OwnedMutexGuard<()>,
    _room: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            locks: Keyed::default(),
            room: Arc::new(Semaphore::new(PARTS)),
        }
    }
}

impl Turns {
    async fn take(&self, id: Uuid, parts: u32, patience: Duration) -> Result<Turn> {
        let turn = async {
            let lock = self.locks.of(&id, <_>::default).lock_owned().await;
            // Whoever waits for its turn takes no room.
            let room = Arc::clone(&self.room).acquire_many_owned(parts).await;
            Ok(Turn {
                _lock: lock,
                _room: room.map_err(|closed| Error::Internal(closed.into()))?,
            })
        };
        let taken = tokio::time::timeout(patience, turn).await;
        taken.unwrap_or(Err(Error::Overloaded(Dependency::S3)))
    }
}

impl Broker {
    /// Waits until nobody else completes the upload, which is then as they left it. Nobody waits
    /// for an upload in a single PUT. Fails where that takes too long, or too much else is completed
    /// at this moment: memory is bounded by the parts of all.
    pub(in crate::usecases) async fn take_turn(&self, upload: &mut Upload) -> Result<Option<Turn>> {
        let Some(multipart) = &upload.multipart else {
            return Ok(None);
        };
        let parts = multipart.part_count.unwrap_or(MAX_PARTS).min(MAX_PARTS);
        let mine = self.turns.take(upload.id, parts, PATIENCE).await?;
        // Also where nobody was at it here: the caller may have read its row minutes ago.
        *upload = self.reload(upload).await?;
        Ok(Some(mine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without any patience.
    async fn take(turns: &Turns, id: Uuid, parts: u32) -> Option<Turn> {
        match turns.take(id, parts, Duration::ZERO).await {
            Ok(turn) => Some(turn),
            Err(Error::Overloaded(Dependency::S3)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn one_at_a_time_has_an_upload() {
        let (turns, one, other) = (Turns::default(), Uuid::now_v7(), Uuid::now_v7());
        let first = take(&turns, one, 1).await;
        assert!(first.is_some());
        assert!(take(&turns, one, 1).await.is_none());
        assert!(take(&turns, other, 1).await.is_some());
        drop(first);
        assert!(take(&turns, one, 1).await.is_some());
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_parts_and_who_waits_takes_none() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..PARTS / 10_000 {
            let id = Uuid::now_v7();
            held.extend(take(&turns, id, MAX_PARTS).await);
            assert!(take(&turns, id, MAX_PARTS).await.is_none());
        }
        assert_eq!(held.len(), PARTS / 10_000);
        assert!(take(&turns, Uuid::now_v7(), 1).await.is_none());
        held.pop();
        assert!(take(&turns, Uuid::now_v7(), 1).await.is_some());
    }
}
