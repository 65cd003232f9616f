//! One completion at a time for each multipart upload, and a bound on the parts of all of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex as Lock, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::per_key::PerKey;
use crate::usecases::error::{Dependency, Error, Result};

/// Parts that are listed and completed at once, of all uploads together: each takes about half a
/// kilobyte meanwhile.
const MAX_PARTS_AT_ONCE: usize = 100_000;

/// Uploads that a caller of this process completes, or waits to complete.
pub struct Completions {
    locks: PerKey<Uuid, Lock<()>>,
    parts: Arc<Semaphore>,
}

/// The right to complete one upload, until it is dropped.
pub(in crate::usecases) struct CompletionPermit {
    _lock: OwnedMutexGuard<()>,
    _parts: OwnedSemaphorePermit,
}

impl Default for Completions {
    fn default() -> Self {
        Self {
            locks: PerKey::default(),
            parts: Arc::new(Semaphore::new(MAX_PARTS_AT_ONCE)),
        }
    }
}

impl Completions {
    /// Waits at most `max_wait` until no other caller of this process completes the upload `id`, and
    /// until there is room for its `parts`.
    pub(in crate::usecases) async fn permit(
        &self,
        id: Uuid,
        parts: u32,
        max_wait: Duration,
    ) -> Result<CompletionPermit> {
        let permit = async {
            let lock = self.locks.get_or_insert_with(&id, <_>::default);
            let lock = lock.lock_owned().await;
            // A caller that waits for the lock takes no room for parts.
            let parts = Arc::clone(&self.parts).acquire_many_owned(parts).await;
            Ok(CompletionPermit {
                _lock: lock,
                _parts: parts.map_err(|closed| Error::Internal(closed.into()))?,
            })
        };
        let taken = tokio::time::timeout(max_wait, permit).await;
        taken.unwrap_or(Err(Error::Overloaded(Dependency::S3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::part_plan::MAX_PARTS;

    async fn try_permit(
        completions: &Completions,
        id: Uuid,
        parts: u32,
    ) -> Option<CompletionPermit> {
        match completions.permit(id, parts, Duration::ZERO).await {
            Ok(permit) => Some(permit),
            Err(Error::Overloaded(Dependency::S3)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn an_upload_is_completed_by_one_caller_at_a_time() {
        let completions = Completions::default();
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let first = try_permit(&completions, one, 1).await;
        assert!(first.is_some());
        assert!(try_permit(&completions, one, 1).await.is_none());
        assert!(try_permit(&completions, other, 1).await.is_some());
        drop(first);
        assert!(try_permit(&completions, one, 1).await.is_some());
    }

    #[tokio::test]
    async fn parts_are_bounded_and_a_waiting_caller_takes_no_room() {
        let completions = Completions::default();
        let mut held = Vec::new();
        for _ in 0..MAX_PARTS_AT_ONCE / 10_000 {
            let id = Uuid::now_v7();
            held.extend(try_permit(&completions, id, MAX_PARTS).await);
            assert!(try_permit(&completions, id, MAX_PARTS).await.is_none());
        }
        assert_eq!(held.len(), MAX_PARTS_AT_ONCE / 10_000);
        assert!(try_permit(&completions, Uuid::now_v7(), 1).await.is_none());
        held.pop();
        assert!(try_permit(&completions, Uuid::now_v7(), 1).await.is_some());
    }
}
