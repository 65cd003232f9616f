//! Internal errors and panics are reported to Sentry, and nothing else is.

use actix_web::middleware::from_fn;
use actix_web::{App as HttpApp, HttpResponse, HttpServer, web};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use upload_broker::http::middleware::edge::edge;
use upload_broker::telemetry::{Metrics, reports};

use super::traceparent;
use crate::support::app::{Setup, now};
use crate::support::leaks::find;
use crate::support::observe::eventually;
use crate::support::process::free_port;
use crate::support::receiver::{Answer, Delivery, Receiver};
use crate::support::reply::Reply;

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;
/// The public key of the project.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A server that takes reports.
fn sentry() -> Receiver {
    let receiver = Receiver::new();
    receiver.answer(Answer::Status(200));
    receiver
}

/// A setup with the DSN of a server.
fn setup(sentry: &Receiver) -> Setup {
    let dsn = format!("http://{KEY}@{}/42", sentry.address());
    let setup = Setup::new().set("BROKER_SENTRY_DSN", dsn);
    setup.set("BROKER_SENTRY_ENVIRONMENT", "staging")
}

/// Checks the envelope, and returns the event in it.
#[track_caller]
fn event_of(report: &Delivery) -> Value {
    assert_eq!(report.path, "/api/42/envelope/");
    assert_eq!(
        report.header("content-type"),
        "application/x-sentry-envelope"
    );
    let auth = report.header("x-sentry-auth");
    assert!(auth.starts_with("Sentry sentry_version=7, "), "{auth}");
    assert!(auth.ends_with(&format!("sentry_key={KEY}")), "{auth}");
    let lines: Vec<&str> = report.body.lines().collect();
    let [header, item, event] = lines.as_slice() else {
        panic!("{}", report.body);
    };
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (header, item, parsed) = (parse(header), parse(item), parse(event));
    assert_eq!(item, json!({"type": "event", "length": event.len()}));
    assert_eq!(header["event_id"], parsed["event_id"]);
    assert_eq!(parsed["event_id"].as_str().map(str::len), Some(32));
    assert_eq!(find(&report.body), None, "{}", report.body);
    parsed
}

#[tokio::test]
async fn internal_error_is_reported_with_its_request_and_without_secrets() {
    let sentry = sentry();
    let app = setup(&sentry).start().await;
    app.reject_new_uploads("XX000", "the table is broken, session_token=sesame")
        .await;
    let request = app.request(Method::POST, "/uploads?secret=query");
    let request = request
        .header("x-request-id", "request-18")
        .header("traceparent", traceparent(TRACE, SPAN))
        .json(&json!({"path": "/secret-folder/a.csv"}));
    Reply::of(request)
        .await
        .expect_problem(500, "internal-error");

    let all = sentry.wait_for(1).await;
    let event = event_of(&all[0]);
    let tags = json!({
        "request_id": "request-18", "method": "POST", "route": "/uploads", "tenant": "default",
    });
    assert_eq!(event["tags"], tags, "{event:#}");
    assert_eq!(event["transaction"], "POST /uploads");
    assert_eq!(event["environment"], "staging");
    assert_eq!(event["level"], "error");
    let trace = json!({"trace_id": format!("{TRACE:032x}"), "span_id": format!("{SPAN:016x}")});
    assert_eq!(event["contexts"]["trace"], trace, "{event:#}");
    let exception = &event["exception"]["values"][0];
    assert_eq!(exception["type"], "internal-error");
    let cause = exception["value"].as_str().expect("a cause");
    assert!(
        cause.contains("the table is broken, session_token=***"),
        "{cause}"
    );
    for secret in [
        &*app.key,
        "sesame",
        "secret-folder",
        "authorization",
        "Bearer",
    ] {
        assert!(!all[0].body.contains(secret), "{secret} in {}", all[0].body);
    }
}

#[tokio::test]
async fn outage_and_refusal_are_not_reported() {
    let sentry = sentry();
    let app = setup(&sentry).start().await;
    app.get("/nowhere").await.expect_problem(404, "not-found");
    app.reject_new_uploads("53300", "too many connections")
        .await;
    let reply = app.post("/uploads", json!({"path": "/a.csv"})).await;
    reply.expect_problem(503, "service-unavailable");
    app.reject_new_uploads("XX000", "broken").await;
    let reply = app.post("/uploads", json!({"path": "/a.csv"})).await;
    reply.expect_problem(500, "internal-error");
    // Reports are sent in order.
    let all = sentry.wait_for(1).await;
    let event = event_of(&all[0]);
    let cause = &event["exception"]["values"][0]["value"];
    assert!(
        cause.as_str().expect("a cause").contains("broken"),
        "{event:#}"
    );
}

#[tokio::test]
async fn panic_of_handler_is_reported_with_its_route() {
    async fn fails(_path: web::Path<String>) -> HttpResponse {
        panic!("the handler has failed, session_token=sesame")
    }
    let sentry = sentry();
    let metrics = Arc::new(Metrics::new(now()).expect("metrics"));
    let options = reports::Options {
        url: format!("http://{}/api/42/envelope/", sentry.address())
            .parse()
            .expect("a URL"),
        key: SecretString::from(KEY),
        environment: "test".to_owned(),
    };
    let (reporter, sender) = reports::build(options, metrics).expect("a reporter");
    let reporter = web::Data::new(reporter);
    let server = HttpServer::new(move || {
        HttpApp::new()
            .app_data(reporter.clone())
            .wrap(from_fn(edge))
            .route("/things/{name}", web::get().to(fails))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0");
    let server = server.expect("a free port");
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    let over = CancellationToken::new();
    let test = async {
        let url = format!("http://{address}/things/secret-name");
        let request = reqwest::Client::new().get(url);
        let request = request.header("x-request-id", "request-1");
        Reply::of(request)
            .await
            .expect_problem(500, "internal-error");
        handle.stop(true).await;
        over.cancel();
    };
    let (running, (), ()) = tokio::join!(running, sender.run(over.clone()), test);
    running.expect("a server");

    let event = event_of(&sentry.wait_for(1).await[0]);
    let tags = json!({"request_id": "request-1", "method": "GET", "route": "/things/{name}"});
    assert_eq!(event["tags"], tags, "{event:#}");
    assert_eq!(event["level"], "fatal");
    let exception = &event["exception"]["values"][0];
    assert_eq!(exception["type"], "panic", "{event:#}");
    let cause = exception["value"].as_str().expect("a cause");
    assert!(
        cause.contains("the handler has failed, session_token=***"),
        "{cause}"
    );
    assert!(!event.to_string().contains("secret-name"), "{event:#}");
}

#[tokio::test]
async fn panic_of_loop_is_reported_before_process_ends() {
    let sentry = sentry();
    let app = setup(&sentry).start().await;
    app.panic_in_loop().await;
    let all = sentry.all();
    assert_eq!(all.len(), 1, "{all:#?}");
    let event = event_of(&all[0]);
    assert_eq!(event["tags"], json!({"task": "failing"}), "{event:#}");
    let cause = event["exception"]["values"][0]["value"].as_str();
    assert_eq!(
        cause,
        Some("panicked: the test panics in a loop"),
        "{event:#}"
    );
}

#[tokio::test]
async fn sentry_that_hangs_or_is_not_there_delays_nothing() {
    let hanging = sentry();
    hanging.answer(Answer::Hold);
    let nowhere = format!("http://{KEY}@127.0.0.1:{}/42", free_port());
    for (setup, outcome) in [
        (setup(&hanging), "dropped"),
        (Setup::new().set("BROKER_SENTRY_DSN", nowhere), "failed"),
    ] {
        let app = setup.start().await;
        app.reject_new_uploads("XX000", "broken").await;
        // More than the reports of a minute.
        for _ in 0..40 {
            let reply = app.post("/uploads", json!({"path": "/a.csv"})).await;
            assert_eq!(
                reply.status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{reply:#?}"
            );
        }
        let metric = format!("error_reports_total{{outcome=\"{outcome}\"}}");
        eventually("reports are counted", async || {
            app.metric(&metric).await > 0.0
        })
        .await;
    }
}
