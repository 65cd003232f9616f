//! SNS rejects calls for a while: no event is lost, few calls are wasted, and afterwards all events
//! are sent at full speed.

use chrono::TimeDelta;

use super::{WAITING, number, write_events};
use crate::support::app::Setup;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::sns_proxy::{CallAction, SnsProxy};

/// Runs a relay against an SNS that answers with `verdict`, and then against one that works. The
/// clock stands still, so that an event that was deferred itself would never fall due again: only
/// the loop may wait.
async fn run_outage(verdict: CallAction) {
    let refusal = verdict.clone();
    let mut proxy = SnsProxy::new(move |_| refusal.clone());
    let app = Setup::new().sns(proxy.endpoint()).start().await;
    write_events(&app, 600, 10).await;
    // Each call is three requests, because the AWS SDK retries by itself.
    proxy.wait_for_calls(15).await;
    let tried = number(&app, "SELECT count(*) FROM events WHERE attempts > 0").await;
    assert!(
        tried <= 160,
        "{tried} of 600 events were tried against a wall"
    );
    assert!(
        number(&app, WAITING).await == 600,
        "{verdict:?} lost an event"
    );
    assert_eq!(app.metric("events_undeliverable_total").await, 0.0);

    let before = proxy.calls().len();
    proxy.set_rule(|_| CallAction::Forward);
    eventually("all are sent", async || number(&app, WAITING).await == 0).await;
    let calls = proxy.calls().len() - before;
    assert!(calls <= 64, "600 events in {calls} calls");
    assert_eq!(app.inbox.waiting().await, 600, "each once");
}

#[tokio::test]
async fn throttled_relay_waits_and_loses_no_event() {
    run_outage(CallAction::Reject(400, "ThrottledException")).await;
}

#[tokio::test]
async fn relay_waits_and_loses_no_event_when_sns_answers_429() {
    run_outage(CallAction::Reject(429, "TooManyRequestsException")).await;
}

#[tokio::test]
async fn relay_waits_and_loses_no_event_when_sns_answers_503() {
    run_outage(CallAction::Reject(503, "ServiceUnavailable")).await;
}

/// Missing permissions are temporary because an operator can grant them, so no event is given up.
#[tokio::test]
async fn events_are_sent_after_missing_permissions_are_granted() {
    let mut proxy = SnsProxy::new(|_| CallAction::Reject(403, "AuthorizationError"));
    let app = Setup::new().sns(proxy.endpoint()).start().await;
    write_events(&app, 30, 10).await;
    proxy.wait_for_calls(4).await;
    proxy.set_rule(|_| CallAction::Forward);
    eventually("all are sent", async || number(&app, WAITING).await == 0).await;
    assert_eq!(app.inbox.waiting().await, 30);
}

/// SNS has accepted the event but its answer is lost. The event is sent again, and subscribers
/// recognise it by its id.
#[tokio::test]
async fn lost_answer_causes_second_delivery_with_the_same_id() {
    let mut proxy = SnsProxy::new(|_| CallAction::DropResponse);
    let app = Setup::new().sns(proxy.endpoint()).start().await;
    write_events(&app, 1, 10).await;
    proxy.wait_for_calls(1).await;
    proxy.set_rule(|_| CallAction::Forward);
    eventually("it is marked", async || number(&app, WAITING).await == 0).await;
    app.advance(TimeDelta::seconds(61));
    let calls = proxy.calls().len();
    assert!(calls >= 2, "{calls} calls");
    let messages = app.inbox.receive_until(calls, TIMEOUT).await;
    let ids: std::collections::BTreeSet<_> = (messages.iter())
        .map(|message| message.json()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{messages:#?}");
}
