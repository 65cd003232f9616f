//! Decides whether and when a failed transfer is retried.

use std::sync::Arc;

use crate::client::error::{Error, Result};
use crate::client::retry::RetryLimits;
use crate::client::s3;

/// How many fresh URLs are requested in a row after the store rejected one.
const MAX_FRESH_URLS: u32 = 3;
/// How often in a row the bytes may arrive damaged.
const MAX_DAMAGED: u32 = 3;

/// The attempts to send one object or part.
#[derive(Debug)]
pub(super) struct Attempts {
    retry_limits: Arc<RetryLimits>,
    failures: u32,
    fresh_urls: u32,
    damaged: u32,
}

/// Why the bytes are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// The store did not respond, or not usefully. The back-off is over.
    AfterDelay,
    /// The URL was rejected; a fresh one is needed.
    WithFreshUrl,
    /// The store received different bytes than were sent.
    Damaged,
}

impl Attempts {
    pub(super) fn new(retry_limits: &Arc<RetryLimits>) -> Self {
        Self {
            retry_limits: Arc::clone(retry_limits),
            failures: 0,
            fresh_urls: 0,
            damaged: 0,
        }
    }

    /// Waits for the back-off after a transient error.
    ///
    /// # Errors
    /// The error itself if a retry cannot help, or if the limit of attempts is reached.
    pub(super) async fn after(&mut self, error: Error) -> Result<Retry> {
        if s3::has_answered(&error) {
            self.retry_limits.record_response();
        }
        if s3::is_damaged(&error) && self.damaged < MAX_DAMAGED {
            self.damaged += 1;
            return Ok(Retry::Damaged);
        }
        if s3::is_url_rejected(&error) && self.fresh_urls < MAX_FRESH_URLS {
            self.fresh_urls += 1;
            return Ok(Retry::WithFreshUrl);
        }
        self.failures += 1;
        match self.retry_limits.next_delay(self.failures, None) {
            Some(delay) if s3::is_transient(&error) => {
                tokio::time::sleep(delay).await;
                Ok(Retry::AfterDelay)
            }
            _ => Err(error),
        }
    }
}
