//! Turns: one caller at a time completes an upload.
//!
//! S3 may take minutes to make an object of its parts. Whoever asks again meanwhile, because its
//! request timed out, waits for the one that is at it instead of asking S3 for the same once more:
//! callers of this process by a lock, those of other replicas by the lease of the row. The lease is
//! renewed until the work is over, and keeps every janitor away; it is taken over from one that is
//! at the row already, as a client that comes back goes before it. When this replica dies, its lease
//! ends, and another one completes the upload.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex as Lock, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::domain::part_plan::MAX_PARTS;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::lease::Lease;
use crate::store::uploads;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::keyed::Keyed;

/// Parts in all that are listed and completed at once: each takes about half a kilobyte meanwhile.
const PARTS: usize = 100_000;

/// How long one waits. Whoever asked has been told by then to ask again later, and where S3 fails,
/// nobody shall find that out one after the other.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often one asks whether another replica is done.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Uploads that somebody completes, or waits to complete.
pub struct Turns {
    locks: Keyed<Uuid, Lock<()>>,
    /// In parts.
    room: Arc<Semaphore>,
}

/// One upload, for as long as it is held, and room for its parts.
pub(in crate::usecases) struct Turn {
    /// Ends the renewals, and gives the lease back. First, while the lock is still held.
    _lease: Option<DropGuard>,
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
                _lease: None,
                _lock: lock,
                _room: room.map_err(|closed| Error::Internal(closed.into()))?,
            })
        };
        let taken = tokio::time::timeout(patience, turn).await;
        taken.unwrap_or(Err(Error::Overloaded(Dependency::S3)))
    }
}

impl Broker {
    /// Waits until nobody else completes the upload, here or in another replica; the upload is then
    /// as they left it, and worked on under a lease where it is still to be completed. Nobody waits
    /// for an upload in a single PUT. Fails where that takes too long, or too much else is completed
    /// at this moment: memory is bounded by the parts of all.
    pub(in crate::usecases) async fn take_turn(
        self: &Arc<Self>,
        upload: &mut Upload,
    ) -> Result<Option<Turn>> {
        let Some(multipart) = &upload.multipart else {
            return Ok(None);
        };
        let parts = multipart.part_count.unwrap_or(MAX_PARTS).min(MAX_PARTS);
        let until = Instant::now() + PATIENCE;
        let mut mine = self.turns.take(upload.id, parts, PATIENCE).await?;
        if upload.lease_token.is_some() {
            // The janitor has it under a lease of its own. It may have read the row minutes ago.
            *upload = self.reload(upload).await?;
        } else {
            mine._lease = self.hold_to_complete(upload, until).await?;
        }
        Ok(Some(mine))
    }

    /// Takes the lease of the row, and renews it until the guard is dropped; without one, the upload
    /// cannot be acknowledged any more.
    async fn hold_to_complete(
        self: &Arc<Self>,
        upload: &mut Upload,
        until: Instant,
    ) -> Result<Option<DropGuard>> {
        let lease = self.new_lease();
        loop {
            let mut connection = self.connection().await?;
            let held = uploads::lease_for_completion(&mut connection, upload.id, &lease).await?;
            drop(connection);
            if let Some(held) = held {
                *upload = held;
                break;
            }
            *upload = self.reload(upload).await?;
            if !Transition::Acknowledge.allows(upload.status) {
                return Ok(None);
            }
            if Instant::now() >= until {
                return Err(Error::Overloaded(Dependency::S3));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        let over = CancellationToken::new();
        let (this, id, guard) = (Arc::clone(self), upload.id, over.clone().drop_guard());
        self.spawn(async move { this.keep_to_complete(id, &lease, over).await });
        Ok(Some(guard))
    }

    async fn keep_to_complete(&self, id: Uuid, lease: &Lease, over: CancellationToken) {
        let renewal = Renewal::new(lease.length());
        let renew = || self.renew_to_complete(id, lease);
        renewal.during(renew, over.cancelled()).await;
        let given_back = async {
            let mut connection = self.connection().await?;
            Ok::<_, Error>(uploads::release_completion(&mut connection, id, lease).await?)
        };
        if let Err(error) = given_back.await {
            log::warn!("upload {id} stays held until its lease ends: {error}");
        }
    }

    async fn renew_to_complete(&self, id: Uuid, lease: &Lease) -> Renewed {
        let renewed = async {
            let mut connection = self.connection().await?;
            Ok::<_, Error>(uploads::renew_leases(&mut connection, &[id], lease).await?)
        };
        match renewed.await {
            Ok(held) if held.is_empty() => Renewed::Lost,
            Ok(_) => Renewed::Held,
            Err(error) => {
                log::warn!("the lease of upload {id} is not renewed: {error}");
                Renewed::Failed
            }
        }
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
