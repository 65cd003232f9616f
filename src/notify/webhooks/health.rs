//! Decides what the outcomes of a round mean for the events and for the endpoint.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::answer::Outcome;
use super::attempt::Sent;
use super::recovery::{MAX_FAILING, Recovery};
use crate::lifecycle::backoff::Backoff;
use crate::store::webhooks::Health;

/// The back-off of one event.
const EVENT_BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(3_600));
/// The back-off of an endpoint that accepts nothing. It is short, so that an event that the endpoint
/// never accepts does not delay the others for long.
const ENDPOINT_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// The shortest pause that an endpoint can ask for.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// What to record about a round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The events that were accepted.
    pub(super) delivered: Vec<Uuid>,
    /// The events that failed, when they are due again, and why they failed.
    pub(super) postponed: Vec<(Uuid, DateTime<Utc>, String)>,
    /// How the endpoint does now.
    pub(super) health: Health,
    /// What applies to the events that wait because the endpoint accepted something again after failed
    /// rounds; `None` if it did not.
    pub(super) recovery: Option<Recovery>,
    /// Whether more may be sent at once.
    pub(super) goes_on: bool,
}

/// Judges a round that ended at `now`. Returns `None` if nothing was sent.
pub(super) fn judge(before: &Health, sent: &[Sent<'_>], now: DateTime<Utc>) -> Option<Verdict> {
    let pauses = sent.iter().filter_map(|sent| sent.outcome.retry_after());
    let pause = pauses.max().map(|pause| pause.max(MIN_PAUSE));
    let is_gone = sent.iter().any(|sent| sent.outcome == Outcome::Gone);
    let (mut delivered, mut postponed) = (Vec::new(), Vec::new());
    let mut oldest_failure = None;
    for Sent { delivery, outcome } in sent {
        let id = delivery.event.id;
        if *outcome == Outcome::Delivered {
            delivered.push(id);
        }
        if let Some(reason) = outcome.failure() {
            let attempts = u32::try_from(delivery.failed_attempts).unwrap_or_default();
            let wait = EVENT_BACKOFF.delay(attempts.saturating_add(1));
            let wait = pause.map_or(wait, |pause| pause.max(wait));
            postponed.push((id, later(now, wait), reason.to_owned()));
            let first = delivery.first_failed_at.unwrap_or(now);
            oldest_failure = Some(oldest_failure.map_or(first, |oldest| first.min(oldest)));
        }
    }
    if delivered.is_empty() && postponed.is_empty() {
        return None;
    }
    let accepts = !delivered.is_empty();
    let failures = match accepts {
        true => 0,
        false => before.failures.saturating_add(1),
    };
    let failing_since = (!accepts).then(|| before.failing_since.unwrap_or(now));
    // A short pause does not replace the back-off.
    let backoff = (!accepts).then(|| ENDPOINT_BACKOFF.delay(failures));
    let retry_at = pause.max(backoff).map(|wait| later(now, wait));
    let oldest_failure = oldest_failure.into_iter().chain(failing_since).min();
    let is_given_up = oldest_failure.is_some_and(|first| now - first >= MAX_FAILING);
    let disabled_at = (is_gone || is_given_up).then_some(now);
    Some(Verdict {
        health: Health {
            failures,
            failing_since,
            retry_at,
            last_error: postponed.last().map(|(_, _, reason)| reason.clone()),
            delivered_at: accepts.then_some(now),
            disabled_at,
        },
        recovery: (before.failing_since)
            .filter(|_| accepts)
            .map(|since| Recovery::new(since, now)),
        goes_on: accepts && retry_at.is_none() && disabled_at.is_none(),
        delivered,
        postponed,
    })
}

/// The time `wait` after `now`, or the last one that can be represented.
fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).ok();
    wait.and_then(|wait| now.checked_add_signed(wait))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::store::outbox::OutboxEvent;
    use crate::store::webhooks::DueDelivery;

    /// Judges a round with one outcome for each of `due`.
    fn judge(
        before: &Health,
        due: &[DueDelivery],
        outcomes: &[Outcome],
        now: DateTime<Utc>,
    ) -> Option<Verdict> {
        assert_eq!(due.len(), outcomes.len());
        let sent = due.iter().zip(outcomes.iter().cloned());
        let sent: Vec<_> = sent
            .map(|(delivery, outcome)| Sent { delivery, outcome })
            .collect();
        super::judge(before, &sent, now)
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
    }

    fn delivery(number: u128, first_failed_at: Option<DateTime<Utc>>) -> DueDelivery {
        DueDelivery {
            event: OutboxEvent {
                id: Uuid::from_u128(number),
                upload_id: Uuid::from_u128(number),
                sequence: 1,
                tenant: "acme".to_owned(),
                kind: "dataset.uploaded".to_owned(),
                at: now(),
                data: Value::Null,
                attempts: 0,
                replayed_at: None,
                traceparent: None,
            },
            failed_attempts: i32::from(first_failed_at.is_some()),
            first_failed_at,
        }
    }

    fn rejected(retry_after: Option<u64>) -> Outcome {
        Outcome::Rejected {
            reason: "503 Service Unavailable".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn failing(failures: u32, since: DateTime<Utc>) -> Health {
        Health {
            failures,
            failing_since: Some(since),
            ..Health::default()
        }
    }

    #[test]
    fn failed_event_beside_accepted_ones_is_postponed_alone() {
        let due = [delivery(1, None), delivery(2, None)];
        let outcomes = [rejected(None), Outcome::Delivered];
        let verdict = judge(&Health::default(), &due, &outcomes, now()).expect("a verdict");
        assert_eq!(verdict.delivered, [Uuid::from_u128(2)]);
        let (id, due_at, _) = &verdict.postponed[0];
        assert_eq!(*id, Uuid::from_u128(1));
        assert!(*due_at > now() && *due_at <= now() + TimeDelta::seconds(5));
        assert_eq!(
            (verdict.health.failures, verdict.health.retry_at),
            (0, None)
        );
        assert!(verdict.goes_on && verdict.recovery.is_none(), "{verdict:?}");
    }

    #[test]
    fn round_without_success_pauses_endpoint_and_next_success_ends_it() {
        let due = [delivery(1, None), delivery(2, None)];
        let outcomes = [rejected(None), Outcome::NotAttempted];
        let verdict = judge(&Health::default(), &due, &outcomes, now()).expect("a verdict");
        let health = &verdict.health;
        assert_eq!((health.failures, health.failing_since), (1, Some(now())));
        assert!(
            health.retry_at > Some(now()) && !verdict.goes_on,
            "{verdict:?}"
        );
        assert_eq!(verdict.postponed.len(), 1, "the other one was not sent");

        let later = now() + TimeDelta::hours(1);
        let verdict = judge(health, &due[..1], &[Outcome::Delivered], later).expect("a verdict");
        let recovery = verdict.recovery.expect("a recovery");
        assert_eq!(recovery.failing_since, now());
        assert!(verdict.goes_on, "{verdict:?}");
        let health = &verdict.health;
        assert_eq!((health.failures, health.failing_since), (0, None));
    }

    #[test]
    fn endpoint_is_disabled_after_three_days_or_when_gone() {
        let (soon, late) = (TimeDelta::hours(71), TimeDelta::hours(72));
        let disabled = |before: &Health, first: Option<DateTime<Utc>>, outcomes: &[Outcome]| {
            let due = [delivery(1, first), delivery(2, None)];
            let due = &due[..outcomes.len()];
            let verdict = judge(before, due, outcomes, now()).expect("a verdict");
            verdict.health.disabled_at.is_some()
        };
        let fails = [rejected(None)];
        assert!(!disabled(
            &failing(9, now() - soon),
            Some(now() - soon),
            &fails
        ));
        // No event was accepted, whichever was sent last.
        assert!(disabled(&failing(9, now() - late), None, &fails));
        // One event was never accepted, while others were.
        let mixed = [rejected(None), Outcome::Delivered];
        assert!(!disabled(&Health::default(), Some(now() - soon), &mixed));
        assert!(disabled(&Health::default(), Some(now() - late), &mixed));
        // The endpoint has recovered in time.
        let accepts = [Outcome::Delivered];
        assert!(!disabled(
            &failing(9, now() - late),
            Some(now() - late),
            &accepts
        ));
        assert!(disabled(&Health::default(), None, &[Outcome::Gone]));
    }

    #[test]
    fn requested_pause_applies_even_after_a_success() {
        let due = [delivery(1, None), delivery(2, None)];
        let outcomes = [Outcome::Delivered, rejected(Some(600))];
        let verdict = judge(&Health::default(), &due, &outcomes, now()).expect("a verdict");
        let until = now() + TimeDelta::minutes(10);
        assert_eq!(verdict.health.retry_at, Some(until));
        assert!(verdict.postponed[0].1 >= until && !verdict.goes_on);
        let at_once = [Outcome::Delivered, rejected(Some(0))];
        let verdict = judge(&Health::default(), &due, &at_once, now()).expect("a verdict");
        assert_eq!(verdict.health.retry_at, Some(now() + TimeDelta::seconds(1)));
    }

    #[test]
    fn short_requested_pause_does_not_replace_back_off_of_failing_endpoint() {
        let due = [delivery(1, None)];
        for seconds in [0, 1] {
            let outcomes = [rejected(Some(seconds))];
            let verdict = judge(&failing(9, now()), &due, &outcomes, now()).expect("a verdict");
            let least = now() + TimeDelta::seconds(30);
            assert!(verdict.health.retry_at >= Some(least), "{verdict:?}");
        }
        let outcomes = [rejected(Some(600))];
        let verdict = judge(&failing(9, now()), &due, &outcomes, now()).expect("a verdict");
        let until = now() + TimeDelta::minutes(10);
        assert_eq!(verdict.health.retry_at, Some(until));
    }

    #[test]
    fn events_have_an_hour_after_a_long_outage_and_no_more_time_after_a_short_one() {
        let due = [delivery(1, Some(now()))];
        let after = |outage: TimeDelta| {
            let before = failing(9, now() - outage);
            let verdict = judge(&before, &due, &[Outcome::Delivered], now()).expect("a verdict");
            verdict.recovery.expect("a recovery").first_failure
        };
        assert_eq!(after(TimeDelta::minutes(179)), None);
        let first = after(TimeDelta::hours(71)).expect("a time");
        let fails = |later: TimeDelta| {
            let due = [delivery(1, Some(first)), delivery(2, None)];
            let outcomes = [rejected(None), Outcome::Delivered];
            let verdict = judge(&Health::default(), &due, &outcomes, now() + later);
            verdict.expect("a verdict").health.disabled_at.is_some()
        };
        assert!(!fails(TimeDelta::minutes(59)));
        assert!(fails(TimeDelta::hours(1)));
    }

    #[test]
    fn time_that_cannot_be_represented_is_the_last_one() {
        assert_eq!(later(now(), Duration::MAX), DateTime::<Utc>::MAX_UTC);
        let last = DateTime::<Utc>::MAX_UTC;
        assert_eq!(later(last, Duration::from_secs(1)), last);
    }

    #[test]
    fn round_in_which_nothing_was_sent_changes_nothing() {
        let due = [delivery(1, None)];
        let verdict = judge(&Health::default(), &due, &[Outcome::NotAttempted], now());
        assert_eq!(verdict, None);
    }
}
