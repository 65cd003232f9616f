//! Work without a request is a trace of its own: an event of S3, the janitor's work on an upload, and a
//! job, which leads to the request that completed its upload.

use std::time::Duration;

use chrono::TimeDelta;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::collector::{Collector, Span};
use super::traceparent;
use crate::support::app::id;
use crate::support::events::Events;
use crate::support::inbox::{Inbox, Message};
use crate::support::reply::Reply;
use crate::support::serving::Place;

const TRACE: u128 = 0x1f0a_6e32_77b3_4da6_a3ce_929d_0e0e_77aa;
const CALLER: u64 = 0x00f0_67aa_0ba9_0001;
const TIMEOUT: Duration = Duration::from_secs(30);
const RULES: &str = r#"
[[rule]]
processor = "csv-aggregate"
options = { group_by = ["song"], aggregates = [{ function = "count" }] }
"#;

#[tokio::test]
async fn job_has_link_to_request_and_causes_events_in_its_own_trace() {
    let (place, collector, inbox) = (Place::new().await, Collector::new(), Inbox::new().await);
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, RULES).expect("a file of rules");
    let run = place
        .serve()
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("BROKER_NOTIFY", "dataset.processed")
        .set("BROKER_PROCESSORS_FILE", rules.display());
    let (broker, caller) = place.start(run).await;
    let worker = place
        .run(&["worker"])
        .set("BROKER_WORKER_BIND", "127.0.0.1:0")
        .set("BROKER_WORKER_SCRATCH", folder.path().display())
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .spawn();

    let session = caller.create("/plays.csv").await;
    caller.put(&session, "song\na\n").await.expect_ok();
    let path = format!("/uploads/{}/acknowledge", id(&session));
    let request = caller.request(Method::POST, &path);
    let request = request.header("traceparent", traceparent(TRACE, CALLER));
    Reply::of(request).await.expect(StatusCode::OK);

    let message = inbox.receive_until(1, TIMEOUT).await.remove(0);
    let trace = trace_of(&message);
    assert_ne!(trace, TRACE, "the job is a trace of its own");
    let job = collector.wait_for(trace, "job csv-aggregate").await;
    assert_eq!(job.kind, SpanKind::Consumer, "{job:#?}");
    assert_eq!(job.parent, "", "{job:#?}");
    assert_eq!(job.links, [format!("{TRACE:032x}")], "{job:#?}");
    assert_eq!(job.attribute("upload_broker.upload_id"), id(&session));
    assert_eq!(job.attribute("upload_broker.attempt"), "1");
    // The worker reads the dataset and writes the result under that span.
    expect_children(&collector, &job, &["Postgres", "GetObject", "PutObject"]).await;
    worker.stop("TERM").await.ok();
    broker.stop("TERM").await.ok();
}

#[tokio::test]
async fn event_of_s3_is_trace_of_what_it_completes() {
    let (events, collector) = (Events::new().await, Collector::new());
    let setup = collector.setup();
    let setup = setup.set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let app = setup.start().await;
    events.follow(&app.bucket).await;
    let session = app.create("/a.csv", json!({})).await;
    app.put(&session, "a\n").await.expect_ok();

    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let span = collector
        .wait_for(trace_of(&message), "process S3 event")
        .await;
    assert_eq!(span.kind, SpanKind::Consumer, "{span:#?}");
    assert!(!span.attribute("messaging.message.id").is_empty());
    expect_children(&collector, &span, &["Postgres", "HeadObject"]).await;
}

#[tokio::test]
async fn work_of_janitor_is_trace_of_what_it_completes() {
    let collector = Collector::new();
    let app = collector.start_app().await;
    let session = app.create("/a.csv", json!({})).await;
    app.put(&session, "a\n").await.expect_ok();
    app.advance(TimeDelta::days(2));
    assert_eq!(app.janitor().await.uploaded, 1);

    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let span = collector
        .wait_for(trace_of(&message), "janitor overdue")
        .await;
    assert_eq!(span.kind, SpanKind::Internal, "{span:#?}");
    assert_eq!(span.parent, "", "{span:#?}");
    assert_eq!(span.attribute("upload_broker.upload_id"), id(&session));
    assert_eq!(span.attribute("upload_broker.tenant"), "default");
    expect_children(&collector, &span, &["Postgres", "HeadObject"]).await;
}

/// The trace of what caused an event.
fn trace_of(message: &Message) -> u128 {
    let event = message.json();
    let context = event["traceparent"].as_str();
    let context = context.unwrap_or_else(|| panic!("no traceparent in {event:#}"));
    let trace = context.split('-').nth(1).expect("a trace");
    u128::from_str_radix(trace, 16).expect("a number")
}

/// Waits for spans with these names directly below `parent`.
async fn expect_children(collector: &Collector, parent: &Span, names: &[&str]) {
    let trace = u128::from_str_radix(&parent.trace, 16).expect("a number");
    for name in names {
        let child = collector.wait_for(trace, name).await;
        assert_eq!(child.parent, parent.id, "{child:#?} below {parent:#?}");
    }
}
