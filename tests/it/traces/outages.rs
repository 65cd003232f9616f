//! A collector that hangs, or is not there, delays no request and no stop. Lost spans are counted.

use futures::StreamExt as _;
use reqwest::StatusCode;
use serde_json::json;

use super::collector::Collector;
use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::process::free_port;
use crate::support::receiver::Answer;
use crate::support::serving::Place;

/// The value of `upload_broker_trace_spans_total` for an outcome.
async fn spans(app: &App, outcome: &str) -> f64 {
    app.metric(&format!("trace_spans_total{{outcome=\"{outcome}\"}}"))
        .await
}

#[tokio::test]
async fn collector_that_is_not_there_delays_nothing() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let setup = Setup::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", nowhere);
    let app = setup.start().await;
    app.upload("/a.csv", "a\n", json!({})).await;
    eventually("the lost spans are counted", async || {
        spans(&app, "failed").await > 0.0
    })
    .await;
    app.upload("/b.csv", "b\n", json!({})).await;
}

#[tokio::test]
async fn collector_that_hangs_delays_nothing_and_queue_is_bounded() {
    let collector = Collector::new();
    collector.0.answer(Answer::Hold);
    let app = collector.start_app().await;
    // Each of these requests is a span, and more than the queue holds.
    let requests = futures::stream::iter(0..3_000).map(|_| app.get("/nowhere"));
    let mut replies = requests.buffer_unordered(32);
    while let Some(reply) = replies.next().await {
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{reply:#?}");
    }
    assert!(spans(&app, "dropped").await > 0.0);
    app.upload("/a.csv", "a\n", json!({})).await;
    // A collector that is there again gets the rest.
    collector.0.answer(Answer::Status(200));
    collector.0.release();
    eventually("spans are exported again", async || {
        spans(&app, "exported").await > 0.0
    })
    .await;
}

#[tokio::test]
async fn stop_sends_last_spans_and_does_not_wait_for_collector_that_hangs() {
    let place = Place::new().await;
    let collector = Collector::new();
    let run = || {
        place
            .serve()
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
    };

    let (process, caller) = place.start(run()).await;
    caller.get("/datasets").await.expect(StatusCode::OK);
    process.stop("TERM").await.ok();
    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert!(
        names.iter().any(|name| name == "GET /datasets"),
        "{names:?}"
    );

    collector.0.answer(Answer::Hold);
    let (process, caller) = place.start(run()).await;
    caller.get("/datasets").await.expect(StatusCode::OK);
    let stopped = process.stop("TERM").await.ok();
    let gave_up = "the receiver did not take the last spans in time";
    assert!(stopped.err.contains(gave_up), "{}", stopped.err);
}
