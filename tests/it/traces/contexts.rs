//! The trace context of a caller is used if it is valid, also without traces, and reaches webhooks.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::collector::Collector;
use super::{post_in_trace, traceparent};
use crate::support::app::{App, Setup, id};
use crate::support::process::Run;
use crate::support::receiver::Receiver;
use crate::support::reply::Reply;

const TRACE: u128 = 0x5ce0_e9a5_6015_fec5_aadf_a328_ae39_8115;
const CALLER: u64 = 0x51ad_e9a5_6015_fec5;
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn context_of_caller_is_kept_without_traces() {
    let app = App::start().await;
    let context = traceparent(TRACE, CALLER);
    for (path, sent) in [("/with.csv", Some(&*context)), ("/without.csv", None)] {
        let session = app.create(path, json!({})).await;
        app.put(&session, "a\n").await.expect_ok();
        let path = format!("/uploads/{}/acknowledge", id(&session));
        match sent {
            Some(context) => post_in_trace(&app, &path, context).await,
            None => app.post_empty(&path).await,
        }
        .expect(StatusCode::OK);
        let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
        let event = message.json();
        let attribute = message.attributes.get("traceparent").map(String::as_str);
        assert_eq!(
            event.get("traceparent").and_then(|text| text.as_str()),
            sent
        );
        assert_eq!(attribute, sent, "{message:#?}");
    }
}

#[tokio::test]
async fn webhook_gets_trace_of_request() {
    let (collector, receiver) = (Collector::new(), Receiver::new());
    let app = with_webhook(collector.setup(), &receiver).await;
    let session = app.create("/a.csv", json!({})).await;
    app.put(&session, "a\n").await.expect_ok();
    let path = format!("/uploads/{}/acknowledge", id(&session));
    let reply = post_in_trace(&app, &path, &traceparent(TRACE, CALLER)).await;
    reply.expect(StatusCode::OK);

    let delivery = receiver.wait_for(1).await.remove(0);
    let span = collector.wait_for(TRACE, "deliver dataset.uploaded").await;
    let id = u64::from_str_radix(&span.id, 16).expect("an id");
    assert_eq!(delivery.header("traceparent"), traceparent(TRACE, id));
    let event = delivery.event();
    let cause = u64::from_str_radix(&span.parent, 16).expect("an id");
    assert_eq!(event["traceparent"], traceparent(TRACE, cause));
}

#[tokio::test]
async fn invalid_context_starts_another_trace_and_state_is_kept() {
    let collector = Collector::new();
    let app = collector.start_app().await;
    let invalid = format!("00-{TRACE:032x}-{:016x}-01", 0);
    post_in_trace(&app, "/uploads/x/acknowledge", &invalid).await;
    let request = app.request(Method::GET, "/datasets");
    let request = request
        .header("traceparent", traceparent(TRACE, CALLER))
        .header("tracestate", "congo=t61rcWkgMzE")
        .header("tracestate", "rojo=00f067aa0ba902b7");
    Reply::of(request).await.expect(StatusCode::OK);

    let list = collector.wait_for(TRACE, "GET /datasets").await;
    assert_eq!(list.state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    // Spans arrive in the order of their ends.
    let spans = collector.spans();
    let other = spans.iter().find(|span| span.name.starts_with("POST "));
    let other = other.unwrap_or_else(|| panic!("no POST in {spans:#?}"));
    assert_eq!(other.parent, "", "{other:#?}");
    assert_ne!(other.trace, list.trace);
}

/// Starts a broker with a webhook of the default tenant.
async fn with_webhook(setup: Setup, receiver: &Receiver) -> App {
    let setup = setup.without_topic();
    let app = setup
        .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true)
        .start()
        .await;
    let added = Run::new(&["webhooks", "add", "--url", &receiver.url()])
        .set("DATABASE_URL", app.database.url())
        .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true);
    added.finish().await.ok();
    app
}
