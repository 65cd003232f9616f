//! Decides how often a request to a service is retried, and after which delay.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::lifecycle::backoff::Backoff;

/// The longest delay between two attempts, unless the service asks for a longer one.
const LONGEST_DELAY: Duration = Duration::from_secs(20);
/// The longest delay that the service may ask for by `Retry-After`.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);
/// The most attempts if the service has never responded: its address is probably wrong.
const MAX_ATTEMPTS_WITHOUT_RESPONSE: u32 = 3;
/// The most attempts if the service has responded before: about a minute and a half in all.
const MAX_ATTEMPTS: u32 = 9;

/// The retry limits for one service.
#[derive(Debug, Default)]
pub struct RetryLimits {
    /// Whether the service has ever responded.
    has_responded: AtomicBool,
}

impl RetryLimits {
    /// Records that the service responded, with whatever status.
    pub fn record_response(&self) {
        self.has_responded.store(true, Ordering::Relaxed);
    }

    /// The delay after this many failures (1, 2, 3 …) in a row, or `None` if the limit is reached.
    /// `retry_after` is the delay that the service asked for.
    pub fn next_delay(&self, failures: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let has_responded = self.has_responded.load(Ordering::Relaxed);
        if failures
            >= if has_responded {
                MAX_ATTEMPTS
            } else {
                MAX_ATTEMPTS_WITHOUT_RESPONSE
            }
        {
            return None;
        }
        let delay = Backoff::up_to(LONGEST_DELAY).delay(failures);
        Some(retry_after.map_or(delay, |retry_after| {
            retry_after
                .min(LONGEST_RETRY_AFTER)
                .saturating_add(delay / 4)
        }))
    }
}

/// The delay in seconds of the `Retry-After` header.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Describes a transport error and its causes on one line, without the URL, which may be a
/// credential.
pub fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = if error.is_timeout() {
        "no response in time".to_owned()
    } else {
        error.to_string()
    };
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_that_never_responded_gets_fewer_attempts() {
        let limits = RetryLimits::default();
        assert!(limits.next_delay(2, None).is_some());
        assert_eq!(limits.next_delay(3, None), None);
        limits.record_response();
        assert!(limits.next_delay(3, None).is_some());
        assert_eq!(limits.next_delay(9, None), None);
    }

    #[test]
    fn retry_after_is_honored_up_to_a_limit() {
        let limits = RetryLimits::default();
        let delay = |seconds| limits.next_delay(1, Some(Duration::from_secs(seconds)));
        assert!(delay(7) >= Some(Duration::from_secs(7)));
        assert!(delay(86_400) < Some(Duration::from_secs(130)));
    }
}
