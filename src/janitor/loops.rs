//! Functions that several loops of the janitor use.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::usecases::{Broker, Error};

/// Returns the names of all buckets. Logs a failure and returns no bucket: the caller tries again in
/// its next iteration.
pub(super) async fn all_buckets(broker: &Broker) -> Vec<String> {
    broker.all_buckets().await.unwrap_or_else(|error| {
        log::warn!("cannot list the buckets: {error}: {}", cause(&error));
        Vec::new()
    })
}

/// Returns the time that lies `period` before now.
pub(super) fn time_before(broker: &Broker, period: Duration) -> DateTime<Utc> {
    let period = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
    let time = broker.clock.now().checked_sub_signed(period);
    time.unwrap_or(DateTime::UNIX_EPOCH)
}

/// Returns the text of the error that caused `error`, for the log.
pub(super) fn cause(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
