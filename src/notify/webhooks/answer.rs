//! What an answer of an endpoint means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::time::timeout;

/// The largest number of bytes of an answer's body that are read. The body is not used: a short one
/// is read so that the connection can be used again.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// The longest time for that.
const MAX_BODY_TIME: Duration = Duration::from_secs(1);
/// The longest pause that an endpoint may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// The outcome of sending one event to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The endpoint accepted it.
    Delivered,
    /// The endpoint answered that it no longer exists (410).
    Gone,
    /// The endpoint answered with another status than 2xx.
    Rejected {
        /// The status, for the log and the row.
        reason: String,
        /// The pause that it asked for, within limits.
        retry_after: Option<Duration>,
    },
    /// The endpoint did not answer in time, or could not be connected to.
    Unreachable(String),
    /// The host of the endpoint has no public address.
    PrivateAddress,
    /// The round ended before the event was sent.
    NotAttempted,
}

impl Outcome {
    /// The value of the label `outcome`; `None` if nothing was sent.
    pub(super) fn label(&self) -> Option<&'static str> {
        match self {
            Self::Delivered => Some("delivered"),
            Self::Gone | Self::Rejected { .. } => Some("rejected"),
            Self::Unreachable(_) => Some("unreachable"),
            Self::PrivateAddress => Some("private-address"),
            Self::NotAttempted => None,
        }
    }

    /// Why the event was not accepted; `None` if it was, or was not sent.
    pub(super) fn failure(&self) -> Option<&str> {
        match self {
            Self::Delivered | Self::NotAttempted => None,
            Self::Gone => Some("410 Gone"),
            Self::Rejected { reason, .. } | Self::Unreachable(reason) => Some(reason),
            Self::PrivateAddress => {
                Some("the host has no public address, and BROKER_WEBHOOKS_ALLOW_PRIVATE is not set")
            }
        }
    }

    /// The pause that the endpoint asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Classifies an answer. `now` is the time against which a date in `Retry-After` is compared.
pub(super) fn outcome_of(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Outcome {
    match status {
        status if status.is_success() => Outcome::Delivered,
        StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Outcome::Rejected {
            reason: status.to_string(),
            retry_after: retry_after(headers, now),
        },
        status => Outcome::Rejected {
            reason: status.to_string(),
            retry_after: None,
        },
    }
}

/// Reads `Retry-After`: seconds, or a date.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            (at.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(pause.min(MAX_RETRY_AFTER))
}

/// Reads the body of an answer, if it is short and arrives at once.
pub(super) async fn drain(mut answer: Response) {
    let drained = async {
        let mut bytes = 0;
        while let Ok(Some(chunk)) = answer.chunk().await {
            bytes += chunk.len();
            if bytes > MAX_BODY_BYTES {
                break;
            }
        }
    };
    // What is not read by then is dropped with its connection.
    let _ = timeout(MAX_BODY_TIME, drained).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, retry_after: Option<&str>) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().expect("a value"));
        }
        let now = DateTime::parse_from_rfc2822("Sun, 06 Nov 1994 08:49:37 GMT");
        let status = StatusCode::from_u16(status).expect("a status");
        outcome_of(status, &headers, now.expect("a time").to_utc())
    }

    #[test]
    fn only_2xx_is_a_success() {
        for status in [200, 202, 204, 299] {
            assert_eq!(outcome(status, None), Outcome::Delivered, "{status}");
        }
        assert_eq!(outcome(410, None), Outcome::Gone);
        for status in [301, 302, 307, 308, 400, 401, 404, 429, 500, 503] {
            let outcome = outcome(status, None);
            assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_bounded_and_read_with_429_and_503_only() {
        let pause = |status, value| outcome(status, Some(value)).retry_after();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(429, "120"), seconds(120));
        assert_eq!(pause(503, " 0 "), seconds(0));
        assert_eq!(pause(503, "86400"), Some(MAX_RETRY_AFTER));
        assert_eq!(pause(503, "Sun, 06 Nov 1994 08:50:37 GMT"), seconds(60));
        assert_eq!(pause(503, "Sun, 06 Nov 1994 08:00:00 GMT"), seconds(0));
        for value in ["", "-1", "soon", "99999999999999999999999"] {
            assert_eq!(pause(429, value), None, "{value}");
        }
        assert_eq!(pause(500, "120"), None);
    }
}
