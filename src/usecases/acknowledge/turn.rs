//! Turns: one caller at a time completes an upload.
//!
//! S3 may take minutes to make an object of its parts. Whoever asks again meanwhile, because its
//! request timed out, waits for the one that is at it instead of asking S3 for the same once more.
//! Other replicas do not wait: completing twice does no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

use crate::domain::upload::Upload;
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;

/// Uploads that somebody completes, or waits to complete.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Uuid, Weak<Turn<()>>>>);

impl Turns {
    fn of(&self, id: Uuid) -> Arc<Turn<()>> {
        // Every change leaves it whole.
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&id).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        turns.insert(id, Arc::downgrade(&turn));
        turn
    }
}

impl Broker {
    /// Waits until nobody else completes the upload, which is then as they left it. Nobody waits
    /// for an upload in a single PUT.
    pub(in crate::usecases) async fn take_turn(
        &self,
        upload: &mut Upload,
    ) -> Result<Option<OwnedMutexGuard<()>>> {
        if upload.multipart.is_none() {
            return Ok(None);
        }
        let turn = self.turns.of(upload.id);
        if let Ok(mine) = Arc::clone(&turn).try_lock_owned() {
            return Ok(Some(mine));
        }
        let mine = turn.lock_owned().await;
        *upload = self.reload(upload).await?;
        Ok(Some(mine))
    }
}
