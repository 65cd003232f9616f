//! Which traces are exported.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::collector::Collector;
use super::{post_in_trace, traceparent};
use crate::support::app::App;
use crate::support::reply::Reply;

const SPAN: u64 = 0xb7ad_6b71_6920_3331;

/// Lists the datasets in a trace, with the decision of the caller.
async fn list_in(app: &App, trace: u128, is_sampled: bool) -> Value {
    let flags = u8::from(is_sampled);
    let context = format!("00-{trace:032x}-{SPAN:016x}-{flags:02x}");
    let request = app.request(Method::GET, "/datasets");
    Reply::of(request.header("traceparent", context))
        .await
        .expect(StatusCode::OK)
}

#[tokio::test]
async fn trace_that_caller_does_not_record_is_not_exported() {
    let collector = Collector::new();
    let app = collector.start_app().await;
    list_in(&app, 1, false).await;
    list_in(&app, 2, true).await;
    collector.wait_for(2, "GET /datasets").await;
    // Spans are exported in the order of their ends.
    let others = collector.trace(1);
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn parent_based_sampler_decides_only_without_caller() {
    let collector = Collector::new();
    let setup = collector.setup();
    let setup = setup.set("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    let app = setup.start().await;
    app.get("/datasets").await.expect(StatusCode::OK);
    list_in(&app, 1, true).await;
    collector.wait_for(1, "GET /datasets").await;
    let spans = collector.spans();
    let other = spans.iter().find(|span| !span.trace.ends_with("01"));
    assert!(other.is_none(), "{other:#?}");
}

#[tokio::test]
async fn other_sampler_ignores_decision_of_caller() {
    let collector = Collector::new();
    let setup = collector.setup().set("OTEL_TRACES_SAMPLER", "always_on");
    let app = setup.start().await;
    list_in(&app, 7, false).await;
    collector.wait_for(7, "GET /datasets").await;
    collector.wait_for(7, "Postgres").await;
}

#[tokio::test]
async fn health_checks_have_no_spans() {
    let collector = Collector::new();
    let app = collector.start_app().await;
    for path in ["/livez", "/readyz", "/metrics", "/heartbeat"] {
        app.get(path).await;
    }
    post_in_trace(&app, "/nowhere", &traceparent(3, SPAN)).await;
    let span = collector.wait_for(3, "POST").await;
    assert_eq!(span.attribute("http.response.status_code"), "404");
    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["POST"]);
}
