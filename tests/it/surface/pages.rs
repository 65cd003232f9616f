//! Pages for people: what they may load, and where they are.

use reqwest::StatusCode;

use crate::support::app::{App, Setup};
use crate::support::process::Process;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

async fn get(url: &str, path: &str) -> Reply {
    Reply::of(reqwest::Client::new().get(format!("{url}{path}"))).await
}

#[tokio::test]
async fn a_page_runs_nothing_from_elsewhere_and_is_framed_by_nobody() {
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
        for loose in ["*", "unsafe-eval", "http:", "https:"] {
            assert!(!policy.contains(loose), "{path}: {policy}");
        }
        // What the policy would refuse does not stand in the page.
        assert!(!reply.body.contains("<script>"), "{path}: {reply:#?}");
        assert!(!reply.body.contains(" onload="), "{path}: {reply:#?}");
    }
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
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
    // Where problems lead, and what machines poll, stays.
    get(&app.url, "/problems/not-found").await.expect_ok();
    app.get("/readyz").await.expect(StatusCode::OK);
}

/// Where the pages are, by the `count`th line that tells of a listener.
async fn pages(process: &mut Process, count: usize) -> String {
    let line = process.says_again("serving pages on http://", count).await;
    line.split_once(" on ").expect("an address").1.to_owned()
}

async fn expect(url: &str, there: &[&str], not_there: &[&str]) {
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
async fn both_may_share_a_listener_apart_from_the_api() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_METRICS_BIND", "127.0.0.1:0");
    let run = run.set("BROKER_DOCS_BIND", "127.0.0.1:0");
    let (mut process, Caller { url, .. }) = place.start(run).await;
    let apart = pages(&mut process, 1).await;
    expect(&apart, &DOCS, &API).await;
    expect(&apart, &["/metrics"], &["/", "/problems"]).await;
    expect(&url, &["/", "/problems"], &DOCS).await;
    expect(&url, &[], &["/metrics"]).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn each_may_have_a_listener_of_its_own() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_METRICS_BIND", "127.0.0.1:0");
    let run = run.set("BROKER_DOCS_BIND", "[::1]:0");
    let (mut process, _) = place.start(run).await;
    let metrics = pages(&mut process, 1).await;
    let docs = pages(&mut process, 2).await;
    expect(&metrics, &["/metrics"], &DOCS).await;
    expect(&docs, &DOCS, &["/metrics"]).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn addresses_that_do_not_go_together_are_refused() {
    let place = Place::new().await;
    for (name, value, switch, told) in [
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
        run.end().await.failed(78, &[name, told]);
    }
    let run = place
        .run(&["check-config"])
        .set("BROKER_BIND", "127.0.0.1:9");
    let run = run.set("BROKER_DOCS_BIND", "127.0.0.1:9");
    run.end()
        .await
        .failed(78, &["BROKER_DOCS_BIND", "must differ from BROKER_BIND"]);
}
