//! Log lines have the id of their trace.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::collector::Collector;
use super::traceparent;
use crate::support::process::Process;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

#[tokio::test]
async fn log_lines_have_trace_of_caller_with_and_without_traces() {
    let (place, collector) = (Place::new().await, Collector::new());
    for run in [
        place.serve(),
        place
            .serve()
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
    ] {
        let run = run.set("BROKER_LOG_FORMAT", "json");
        let (mut process, caller) = place.start(run).await;
        request(&caller, "in-trace", Some(traceparent(TRACE, SPAN))).await;
        request(&caller, "invalid", Some("00-0-0-01".to_owned())).await;
        let traces = traces_of(&mut process, "in-trace").await;
        assert_eq!(traces, [Some(format!("{TRACE:032x}"))].into());
        let others = traces_of(&mut process, "invalid").await;
        assert!(
            !others.contains(&Some(format!("{TRACE:032x}"))),
            "{others:?}"
        );
        process.stop("TERM").await.ok();
    }
}

#[tokio::test]
async fn log_line_has_trace_that_begins_here_only_with_traces() {
    let (place, collector) = (Place::new().await, Collector::new());
    let (mut process, caller) = place
        .start(place.serve().set("BROKER_LOG_FORMAT", "json"))
        .await;
    request(&caller, "untraced", None).await;
    assert_eq!(traces_of(&mut process, "untraced").await, [None].into());
    process.stop("TERM").await.ok();

    let run = place.serve().set("BROKER_LOG_FORMAT", "json");
    let run = run.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let (mut process, caller) = place.start(run).await;
    request(&caller, "traced", None).await;
    let traces = traces_of(&mut process, "traced").await;
    process.stop("TERM").await.ok();
    let exported = collector.spans().into_iter();
    let exported: BTreeSet<_> = exported
        .filter(|span| span.name == "GET /datasets")
        .map(|span| Some(span.trace))
        .collect();
    assert_eq!(traces, exported);
}

/// Lists the datasets.
async fn request(caller: &Caller, id: &str, traceparent: Option<String>) {
    let mut request = caller.request(Method::GET, "/datasets");
    request = request.header("x-request-id", id);
    if let Some(context) = traceparent {
        request = request.header("traceparent", context);
    }
    Reply::of(request).await.expect_ok();
}

/// Returns the ids of the traces of all lines of a request.
async fn traces_of(process: &mut Process, request: &str) -> BTreeSet<Option<String>> {
    let mark = format!("\"request_id\":\"{request}\"");
    process.wait_for_log(&mark).await;
    let log = process.log();
    let lines = log.lines().filter(|line| line.contains(&mark));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .map(|line| {
            line.get("trace_id")
                .map(|id| id.as_str().expect("a text").to_owned())
        })
        .collect()
}
