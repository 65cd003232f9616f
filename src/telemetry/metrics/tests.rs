//! Metrics are rendered under stable names and labels.

use std::time::Duration;

use super::*;

fn metrics() -> Metrics {
    let started = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    Metrics::new(started).expect("names that do not clash")
}

fn assert_renders(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.render();
    for line in lines {
        assert!(
            text.lines().any(|shown| shown == *line),
            "no {line} in:\n{text}"
        );
    }
}

#[test]
fn requests_are_rendered_by_route_pattern_and_status_class() {
    let metrics = metrics();
    let guard = metrics.http.begin();
    assert_renders(&metrics, &["upload_broker_http_requests_in_flight 1"]);
    drop(guard);
    let took = Duration::from_millis(3);
    metrics
        .http
        .answered("GET", Some("/uploads/{id}"), 404, took);
    metrics.http.answered("BREW", None, 405, took);
    metrics.http.refused("expired-key");
    let count = "upload_broker_http_request_duration_seconds_count";
    let bucket = "upload_broker_http_request_duration_seconds_bucket";
    assert_renders(
        &metrics,
        &[
            "upload_broker_http_requests_in_flight 0",
            &format!(r#"{count}{{method="GET",route="/uploads/{{id}}",status="4xx"}} 1"#),
            &format!(r#"{count}{{method="other",route="unmatched",status="4xx"}} 1"#),
            &format!(
                r#"{bucket}{{method="GET",route="/uploads/{{id}}",status="4xx",le="0.0025"}} 0"#
            ),
            &format!(
                r#"{bucket}{{method="GET",route="/uploads/{{id}}",status="4xx",le="0.005"}} 1"#
            ),
            r#"upload_broker_auth_refusals_total{reason="expired-key"} 1"#,
        ],
    );
}

#[test]
fn uploads_and_events_are_rendered() {
    let metrics = metrics();
    metrics.uploads.transition("Uploaded");
    metrics.uploads.verification_failed("size");
    metrics.uploads.uploaded_after(Duration::from_secs(90_000));
    metrics.uploads.notified_after(Duration::from_millis(20));
    metrics.outbox.waiting(7, Some(Duration::from_millis(1500)));
    metrics.outbox.published(10);
    metrics.outbox.undeliverable(2);
    metrics.webhooks.sent("delivered");
    metrics.webhooks.disabled();
    metrics
        .webhooks
        .waiting(3, Some(Duration::from_millis(2500)));
    metrics.webhooks.endpoints(5, 1);
    metrics.janitor.expired("uploaded");
    metrics.janitor.expired("expired");
    metrics.janitor.final_check("removed");
    metrics.janitor.removed("old-events", 70);
    metrics.janitor.stale_multipart("aborted");
    metrics.janitor.swept(1_000, 999);
    metrics.janitor.found("object-without-row");
    let end = DateTime::from_timestamp(1_700_000_060, 0).expect("a time");
    metrics.janitor.sweep_finished(end);
    assert_renders(
        &metrics,
        &[
            r#"upload_broker_upload_transitions_total{to="Uploaded"} 1"#,
            r#"upload_broker_verification_failures_total{reason="size"} 1"#,
            r#"upload_broker_upload_created_to_uploaded_seconds_bucket{le="86400"} 0"#,
            r#"upload_broker_upload_created_to_uploaded_seconds_count 1"#,
            r#"upload_broker_upload_uploaded_to_notified_seconds_bucket{le="0.05"} 1"#,
            "upload_broker_outbox_depth_events 7",
            "upload_broker_outbox_oldest_age_seconds 1.5",
            "upload_broker_events_published_total 10",
            "upload_broker_events_undeliverable_total 2",
            r#"upload_broker_webhook_deliveries_total{outcome="delivered"} 1"#,
            r#"upload_broker_webhook_deliveries_total{outcome="private-address"} 0"#,
            "upload_broker_webhooks_disabled_total 1",
            "upload_broker_webhook_waiting_events 3",
            "upload_broker_webhook_oldest_age_seconds 2.5",
            r#"upload_broker_webhook_endpoints{state="disabled"} 1"#,
            "upload_broker_janitor_checked_total 2",
            r#"upload_broker_janitor_outcomes_total{outcome="uploaded"} 1"#,
            r#"upload_broker_janitor_outcomes_total{outcome="expired"} 1"#,
            r#"upload_broker_janitor_outcomes_total{outcome="failed"} 0"#,
            r#"upload_broker_janitor_deletes_total{outcome="failed"} 0"#,
            r#"upload_broker_janitor_last_looks_total{outcome="removed"} 1"#,
            r#"upload_broker_janitor_removed_rows_total{what="old-events"} 70"#,
            r#"upload_broker_stale_multipart_uploads_total{outcome="aborted"} 1"#,
            r#"upload_broker_stale_multipart_uploads_total{outcome="reported"} 0"#,
            r#"upload_broker_sweep_compared_total{what="objects"} 1000"#,
            r#"upload_broker_sweep_compared_total{what="rows"} 999"#,
            r#"upload_broker_sweep_findings_total{what="object-without-row"} 1"#,
            r#"upload_broker_sweep_findings_total{what="row-without-object"} 0"#,
            r#"upload_broker_sweeps_total{outcome="finished"} 1"#,
            "upload_broker_sweep_finished_timestamp_seconds 1700000060",
        ],
    );
    metrics.outbox.waiting(0, None);
    assert_renders(&metrics, &["upload_broker_outbox_oldest_age_seconds 0"]);
}

#[test]
fn calls_and_pool_are_rendered() {
    let metrics = metrics();
    let took = Duration::from_millis(40);
    metrics.s3.called("HeadObject", CallOutcome::Missing, took);
    metrics.sns.called(CallOutcome::Ok, took);
    metrics.sns.entries(8, 2);
    metrics.pool.observe(16, 3, 5);
    metrics.traces.ended(SpanOutcome::Exported, 7);
    metrics.reports.ended(ReportOutcome::Dropped);
    metrics.s3_events.received(3, took);
    metrics.s3_events.handled("done", 2);
    metrics
        .s3_events
        .called("ReceiveMessage", CallOutcome::Ok, took);
    let sqs = "upload_broker_sqs_call_duration_seconds_count";
    let s3 = "upload_broker_s3_call_duration_seconds_count";
    assert_renders(
        &metrics,
        &[
            &format!(r#"{s3}{{operation="HeadObject",outcome="missing"}} 1"#),
            r#"upload_broker_sns_publish_duration_seconds_count{outcome="ok"} 1"#,
            r#"upload_broker_sns_publish_entries_total{outcome="ok"} 8"#,
            r#"upload_broker_sns_publish_entries_total{outcome="failed"} 2"#,
            &format!(r#"{sqs}{{operation="ReceiveMessage",outcome="ok"}} 1"#),
            "upload_broker_s3_events_received_total 3",
            r#"upload_broker_s3_events_total{outcome="done"} 2"#,
            "upload_broker_s3_events_oldest_age_seconds 0.04",
            "upload_broker_db_pool_connections 16",
            r#"upload_broker_trace_spans_total{outcome="exported"} 7"#,
            r#"upload_broker_trace_spans_total{outcome="failed"} 0"#,
            r#"upload_broker_error_reports_total{outcome="dropped"} 1"#,
            r#"upload_broker_error_reports_total{outcome="sent"} 0"#,
            "upload_broker_db_pool_available_connections 3",
            "upload_broker_db_pool_waiting_tasks 5",
        ],
    );
}

#[test]
fn process_is_rendered_and_every_metric_has_help() {
    let metrics = metrics();
    let version = env!("CARGO_PKG_VERSION");
    assert_renders(
        &metrics,
        &[
            "upload_broker_process_start_time_seconds 1700000000",
            &format!(r#"upload_broker_build_info{{version="{version}"}} 1"#),
        ],
    );
    let text = metrics.render();
    let resident = "upload_broker_process_resident_memory_bytes ";
    let bytes = text.lines().find_map(|line| line.strip_prefix(resident));
    let bytes: u64 = bytes.expect("resident memory").parse().expect("a number");
    assert!(
        bytes > 1_000_000,
        "a test process has more than {bytes} bytes"
    );
    for family in metrics.registry.gather() {
        assert!(
            family.name().starts_with("upload_broker_"),
            "{}",
            family.name()
        );
        assert!(
            family.help().ends_with('.'),
            "{} has no help",
            family.name()
        );
    }
}

#[test]
fn two_metrics_instances_are_independent() {
    let (one, other) = (metrics(), metrics());
    one.outbox.published(1);
    assert_renders(&other, &["upload_broker_events_published_total 0"]);
}
