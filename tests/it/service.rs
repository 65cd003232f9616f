//! What operators and browsers need: readiness, metrics, safe pages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::support::app::{App, Setup, id};
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::reply::Reply;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends a GET request without a key.
async fn get(app: &App, path: &str) -> Reply {
    Reply::of(app.http.get(format!("{}{path}", app.url))).await
}

async fn metrics(app: &App) -> String {
    get(app, "/metrics").await.expect_ok().body
}

/// The sum of the series of `name` whose labels contain all of `labels`.
fn sum(metrics: &str, name: &str, labels: &[&str]) -> f64 {
    let series = metrics.lines().filter(|line| {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        line[..end] == format!("upload_broker_{name}")
            && labels.iter().all(|label| line.contains(label))
    });
    series
        .map(|line| {
            line.rsplit(' ')
                .next()
                .and_then(|n| n.parse::<f64>().ok())
                .expect("a number")
        })
        .sum()
}

#[tokio::test]
async fn readyz_fails_during_postgres_outage_and_recovers() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    gate.close().await;
    let reply = get(&app, "/readyz").await;
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    for secret in [
        "127.0.0.1",
        &gate.addr().port().to_string(),
        app.database.name(),
    ] {
        assert!(!reply.body.contains(secret), "{secret} in {reply:#?}");
    }
    let ready = reply.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["status"], "unavailable", "{ready:#}");
    assert_eq!(
        ready["checks"],
        json!({"postgres": "unavailable", "s3": "ok"})
    );
    assert_eq!(ready["outbox"], Value::Null, "it cannot be read: {ready:#}");
    get(&app, "/livez").await.expect(StatusCode::OK);
    get(&app, "/heartbeat").await.expect(StatusCode::OK);

    gate.restore();
    let restored = Instant::now();
    loop {
        let reply = get(&app, "/readyz").await;
        if reply.status == StatusCode::OK {
            break;
        }
        assert!(
            restored.elapsed() < TIMEOUT,
            "never ready again: {reply:#?}"
        );
    }
}

#[tokio::test]
async fn concurrent_readiness_requests_share_one_check() {
    let app = App::start().await;
    let start = Instant::now();
    let asked = (0..50).map(|_| get(&app, "/readyz"));
    for reply in futures::future::join_all(asked).await {
        reply.expect(StatusCode::OK);
    }
    let seconds = start.elapsed().as_secs() as f64;
    let calls = sum(&metrics(&app).await, "s3_call_duration_seconds_count", &[]);
    assert!(
        calls >= 1.0 && calls <= 1.0 + seconds,
        "{calls} calls of S3 in {seconds} s"
    );
}

#[tokio::test]
async fn waiting_events_are_reported_and_do_not_affect_readiness() {
    let app = Setup::new().without_topic().start().await;
    app.upload("/a.csv", "x", json!({})).await;
    app.advance(chrono::TimeDelta::seconds(90));
    let ready = get(&app, "/readyz").await.expect(StatusCode::OK);
    assert_eq!(
        ready["outbox"],
        json!({"waiting": 1, "oldest_seconds": 90}),
        "{ready:#}"
    );
}

#[tokio::test]
async fn requests_transitions_and_calls_are_measured() {
    let app = App::start().await;
    app.upload("/a.csv", "x", json!({})).await;
    let wrong = app.create("/wrong.csv", json!({})).await;
    app.put(&wrong, "xy").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", id(&wrong));
    let reply = app.post(&acknowledge, json!({"size": 3})).await;
    reply.expect_problem(422, "object-mismatch");
    get(&app, "/uploads")
        .await
        .expect_problem(401, "unauthenticated");
    app.inbox.receive_until(1, TIMEOUT).await;

    let all = metrics(&app).await;
    for (name, labels, least) in [
        (
            "http_request_duration_seconds_count",
            vec!["method=\"POST\"", "route=\"/uploads\"", "status=\"2xx\""],
            2.0,
        ),
        (
            "http_request_duration_seconds_count",
            vec!["route=\"/uploads/{id}/acknowledge\"", "status=\"4xx\""],
            1.0,
        ),
        (
            "auth_refusals_total",
            vec!["reason=\"unauthenticated\""],
            1.0,
        ),
        ("upload_transitions_total", vec!["to=\"Uploaded\""], 1.0),
        ("upload_transitions_total", vec!["to=\"Error\""], 1.0),
        ("verification_failures_total", vec!["reason=\"size\""], 1.0),
        ("upload_created_to_uploaded_seconds_count", vec![], 1.0),
        (
            "s3_call_duration_seconds_count",
            vec!["operation=\"HeadObject\""],
            2.0,
        ),
        ("sns_publish_entries_total", vec!["outcome=\"ok\""], 0.0),
    ] {
        assert!(
            all.contains(&format!(
                "# TYPE upload_broker_{}",
                name.trim_end_matches("_count")
            )),
            "{name}"
        );
        assert!(
            sum(&all, name, &labels) >= least,
            "{name} {labels:?} in {all}"
        );
    }
    for family in [
        "outbox_depth_events",
        "outbox_oldest_age_seconds",
        "db_pool_connections",
        "janitor",
        "upload_uploaded_to_notified_seconds",
        "sns_publish_duration_seconds",
    ] {
        assert!(
            all.contains(&format!("# TYPE upload_broker_{family}")),
            "{family} in {all}"
        );
    }
}

/// The names and labels of all series, without the values.
fn series(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
        .collect()
}

#[tokio::test]
async fn clients_cannot_create_new_metric_series() {
    let app = App::start().await;
    let storm = async |round: usize| {
        for n in 0..10 {
            let path = format!("/datasets/{round}/{n}.csv");
            for method in ["GET", "DELETE", "BREW", &format!("M{round}X{n}")] {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                Reply::of(app.request(method.clone(), &path)).await;
                Reply::of(app.request(method, &format!("/nowhere/{round}/{n}"))).await;
            }
            app.get(&format!("/uploads/{}", uuid::Uuid::now_v7())).await;
            app.get(&format!("/problems/{round}-{n}")).await;
            app.get(&format!("/docs/{round}-{n}.js")).await;
        }
        series(&metrics(&app).await)
    };
    let first = storm(0).await;
    // From now on the series of the metrics page itself are included.
    let second = storm(1).await;
    let third = storm(2).await;
    let new: Vec<_> = third.difference(&second).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert!(third.len() < first.len() + 100, "{} series", third.len());
}

#[tokio::test]
async fn metrics_listener_serves_metrics_and_nothing_else() {
    // The socket is bound and does not listen, which reserves the port until the broker listens on
    // it.
    let port = TcpSocket::new_v4().expect("a socket");
    port.set_reuseaddr(true).expect("a shared port");
    port.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let bind = port.local_addr().expect("its number");
    let app = Setup::new().set("BROKER_METRICS_BIND", bind).start().await;
    let ask = async |path: &str| Reply::of(app.http.get(format!("http://{bind}{path}"))).await;
    let reply = ask("/metrics").await.expect_ok();
    assert!(reply.body.contains("# TYPE upload_broker_"), "{reply:#?}");
    assert!(
        reply
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain"))
    );
    for path in ["/uploads", "/heartbeat", "/"] {
        ask(path).await.expect_problem(404, "not-found");
    }
    get(&app, "/metrics").await.expect_problem(404, "not-found");
    get(&app, "/heartbeat").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn pages_have_a_content_security_policy_and_load_nothing_external() {
    let app = App::start().await;
    for path in ["/", "/docs/", "/problems", "/problems/object-missing"] {
        let page = get(&app, path).await.expect_ok();
        let kind = page.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(
            page.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(page.header("server"), None, "{path}");
        for part in page.body.split(['"', '\'', '(', ')', ' ']) {
            let is_away = part.starts_with("http://")
                || part.starts_with("https://")
                || part.starts_with("//");
            assert!(!is_away, "{path} asks for {part}");
        }
    }
    let redirect = get(&app, "/docs").await;
    assert!(redirect.status.is_redirection(), "{redirect:#?}");
    let secret = app.get("/uploads/x").await;
    assert_eq!(secret.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn changing_or_secret_answers_are_never_cached() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({})).await;
    let path = format!("/uploads/{}", id(&session));
    app.bucket.put("b.csv", "x").await;
    for path in [
        path.clone(),
        format!("{path}?refresh_urls=true"),
        "/uploads".into(),
        format!("{path}/events"),
        "/heartbeat".into(),
        "/livez".into(),
        "/readyz".into(),
        "/metrics".into(),
        "/datasets".into(),
        "/datasets/b.csv".into(),
        "/datasets/b.csv/action/download".into(),
        "/datasets/b.csv/action/download?redirect=false".into(),
    ] {
        let reply = app.get(&path).await;
        assert_eq!(
            reply.header("cache-control"),
            Some("no-store"),
            "{path}: {reply:#?}"
        );
    }
}
