//! Pages for people: what they may load, and on which listener they are.

use reqwest::StatusCode;

use crate::support::app::{App, Setup};
use crate::support::process::Process;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

async fn get(url: &str, path: &str) -> Reply {
    Reply::of(reqwest::Client::new().get(format!("{url}{path}"))).await
}

#[tokio::test]
async fn pages_allow_no_external_scripts_and_no_frames() {
    let app = App::start().await;
    for path in [
        "/",
        "/problems",
        "/problems/not-found",
        "/docs/",
        "/docs/index.html",
    ] {
        let reply = get(&app.url, path).await;
        let kind = reply.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{path}: {reply:#?}");
        let policy = reply.header("content-security-policy");
        let policy = policy.unwrap_or_else(|| panic!("{path} has no policy"));
        let rules: Vec<&str> = policy.split(';').map(str::trim).collect();
        for rule in [
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(rules.contains(&rule), "{path}: {policy}");
        }
        let fallback = ["default-src 'none'", "default-src 'self'"];
        assert!(
            fallback.iter().any(|rule| rules.contains(rule)),
            "{path}: {policy}"
        );
        let scripts = rules.iter().find(|rule| rule.starts_with("script-src"));
        assert_eq!(scripts, None, "{path}: {policy}");
        let sources = || policy.split([' ', ';']);
        for loose in ["*", "http:", "https:"] {
            let is_loose = sources().any(|source| source == loose);
            assert!(!is_loose, "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-eval"), "{path}: {policy}");
        // The page does not contain what the policy forbids.
        assert!(!reply.body.contains("<script>"), "{path}: {reply:#?}");
        assert!(!reply.body.contains(" onload="), "{path}: {reply:#?}");
    }
}

#[tokio::test]
async fn disabled_metrics_and_docs_are_not_found() {
    let app = Setup::new()
        .set("BROKER_METRICS", "false")
        .set("BROKER_DOCS", "false")
        .start()
        .await;
    for path in [
        "/metrics",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/openapi.yaml",
    ] {
        app.get(path).await.expect_problem(404, "not-found");
    }
    app.get("/openapi.json")
        .await
        .expect_problem(404, "not-found");
    let page = get(&app.url, "/").await.expect_ok();
    assert!(!page.body.contains("/docs/"), "{page:#?}");
    // The pages of problems and the health endpoints remain.
    get(&app.url, "/problems/not-found").await.expect_ok();
    app.get("/readyz").await.expect(StatusCode::OK);
}

/// The address of the pages, from the `count`th log line about a listener for pages.
async fn pages(process: &mut Process, count: usize) -> String {
    let line = process
        .wait_for_nth_log("serving pages on http://", count)
        .await;
    line.split_once(" on ").expect("an address").1.to_owned()
}

async fn assert_pages(url: &str, there: &[&str], not_there: &[&str]) {
    for path in there {
        let reply = get(url, path).await;
        assert_eq!(reply.status, StatusCode::OK, "{url}{path}");
        let nosniff = reply.header("x-content-type-options");
        assert_eq!(nosniff, Some("nosniff"), "{url}{path}");
    }
    for path in not_there {
        get(url, path).await.expect_problem(404, "not-found");
    }
}

const DOCS: [&str; 3] = ["/docs/", "/openapi.yaml", "/openapi.json"];
const API: [&str; 3] = ["/uploads", "/datasets", "/heartbeat"];

#[tokio::test]
async fn metrics_and_docs_can_share_a_listener_separate_from_the_api() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_METRICS_BIND", "127.0.0.1:0");
    let run = run.set("BROKER_DOCS_BIND", "127.0.0.1:0");
    let (mut process, Caller { url, .. }) = place.start(run).await;
    let apart = pages(&mut process, 1).await;
    assert_pages(&apart, &DOCS, &API).await;
    assert_pages(&apart, &["/metrics"], &["/", "/problems"]).await;
    assert_pages(&url, &["/", "/problems"], &DOCS).await;
    assert_pages(&url, &[], &["/metrics"]).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn metrics_and_docs_can_have_their_own_listeners() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_METRICS_BIND", "127.0.0.1:0");
    let run = run.set("BROKER_DOCS_BIND", "[::1]:0");
    let (mut process, _) = place.start(run).await;
    let metrics = pages(&mut process, 1).await;
    let docs = pages(&mut process, 2).await;
    assert_pages(&metrics, &["/metrics"], &DOCS).await;
    assert_pages(&docs, &DOCS, &["/metrics"]).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn conflicting_listener_settings_are_rejected() {
    let place = Place::new().await;
    for (name, value, switch, reason) in [
        (
            "BROKER_DOCS_BIND",
            "127.0.0.1:9",
            "BROKER_DOCS",
            "while BROKER_DOCS is false",
        ),
        (
            "BROKER_METRICS_BIND",
            "127.0.0.1:9",
            "BROKER_METRICS",
            "while BROKER_METRICS is false",
        ),
    ] {
        let run = place
            .run(&["check-config"])
            .set(name, value)
            .set(switch, "off");
        run.finish().await.expect_failure(78, &[name, reason]);
    }
    let run = place
        .run(&["check-config"])
        .set("BROKER_BIND", "127.0.0.1:9");
    let run = run.set("BROKER_DOCS_BIND", "127.0.0.1:9");
    run.finish()
        .await
        .expect_failure(78, &["BROKER_DOCS_BIND", "must differ from BROKER_BIND"]);
}
