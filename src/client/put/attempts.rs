//! What to do when bytes could not be sent.

use std::sync::Arc;

use crate::client::error::{Error, Result};
use crate::client::retry::Patience;
use crate::client::s3;

/// How often in a row a fresh URL is asked for in place of one that the store refused.
const URLS: u32 = 3;
/// How often in a row bytes may come damaged to the store.
const DAMAGED: u32 = 3;

/// The tries to send one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    patience: Arc<Patience>,
    failures: u32,
    urls: u32,
    damaged: u32,
}

/// Why it is tried once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Nobody answered, or nobody who could. Some time has passed since.
    Later,
    /// With a fresh URL.
    FreshUrl,
    /// The bytes that came were not those that were sent.
    Damaged,
}

impl Attempts {
    pub(super) fn new(patience: &Arc<Patience>) -> Self {
        Self {
            patience: Arc::clone(patience),
            failures: 0,
            urls: 0,
            damaged: 0,
        }
    }

    /// Rests where that may help.
    ///
    /// # Errors
    /// The error itself where trying again does not.
    pub(super) async fn after(&mut self, error: Error) -> Result<Again> {
        if s3::has_answered(&error) {
            self.patience.answered();
        }
        if s3::is_damaged(&error) && self.damaged < DAMAGED {
            self.damaged += 1;
            return Ok(Again::Damaged);
        }
        if s3::is_stale(&error) && self.urls < URLS {
            self.urls += 1;
            return Ok(Again::FreshUrl);
        }
        self.failures += 1;
        match self.patience.rest(self.failures, None) {
            Some(rest) if s3::may_pass(&error) => {
                tokio::time::sleep(rest).await;
                Ok(Again::Later)
            }
            _ => Err(error),
        }
    }
}
