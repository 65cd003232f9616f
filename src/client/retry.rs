//! How long to go on asking somebody who does not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::lifecycle::backoff::Backoff;

/// The longest rest between two tries, by our own choice.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest rest that we let the other side choose.
const LONGEST_ASKED: Duration = Duration::from_secs(120);
/// How often one is asked who never answered: the address is probably wrong.
const STRANGER: u32 = 3;
/// How often one is asked who did answer before: in all about a minute and a half.
const KNOWN: u32 = 9;

/// How patient we are with one service.
#[derive(Debug, Default)]
pub struct Patience {
    /// Whether it ever answered.
    known: AtomicBool,
}

impl Patience {
    /// It answered, whatever it said.
    pub fn answered(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// How long to rest after so many failures (1, 2, 3 …) in a row; `None` when it is enough.
    /// `asked` is what the other side asked for.
    pub fn rest(&self, failures: u32, asked: Option<Duration>) -> Option<Duration> {
        let known = self.known.load(Ordering::Relaxed);
        if failures >= if known { KNOWN } else { STRANGER } {
            return None;
        }
        let own = Backoff::up_to(LONGEST).delay(failures);
        Some(asked.map_or(own, |asked| {
            asked.min(LONGEST_ASKED).saturating_add(own / 4)
        }))
    }
}

/// What `Retry-After` asks for, in seconds.
pub fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The causes of a transport error in one line, without the URL: that may be a credential.
pub fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
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
    fn a_stranger_is_given_up_sooner() {
        let patience = Patience::default();
        assert!(patience.rest(2, None).is_some());
        assert_eq!(patience.rest(3, None), None);
        patience.answered();
        assert!(patience.rest(3, None).is_some());
        assert_eq!(patience.rest(9, None), None);
    }

    #[test]
    fn what_the_other_side_asks_for_is_kept_within_bounds() {
        let patience = Patience::default();
        let rest = |seconds| patience.rest(1, Some(Duration::from_secs(seconds)));
        assert!(rest(7) >= Some(Duration::from_secs(7)));
        assert!(rest(86_400) < Some(Duration::from_secs(130)));
    }
}
