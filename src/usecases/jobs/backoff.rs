//! How long a job waits after a failed attempt.

use std::time::Duration;

use crate::lifecycle::backoff::Backoff;

/// The back-off of a job after a failed attempt.
pub(super) const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));
