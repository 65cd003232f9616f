//! Rate limits: calls beyond a limit are rejected with the time to wait. Other clients are not
//! affected.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::domain::principal::Scope;

use crate::support::app::{App, Setup};
use crate::support::raw;
use crate::support::reply::Reply;

/// One token in a thousand seconds, so that none is added during a test that does not advance the
/// clock.
const THREE: &str = "0.001:3";

/// Sends a GET request with `key`.
async fn get(app: &App, key: &str, path: &str) -> Reply {
    let request = app.http.get(format!("{}{path}", app.url));
    Reply::of(request.bearer_auth(key)).await
}

/// Sends a GET request on behalf of `client`, as a proxy does.
async fn get_from(app: &App, client: &str, path: &str) -> Reply {
    let request = app.request(Method::GET, path);
    Reply::of(request.header("x-forwarded-for", client)).await
}

async fn limited(name: &str, rate: &str) -> App {
    (Setup::new().set(name, rate))
        .set("BROKER_TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

#[tokio::test]
async fn key_beyond_its_burst_gets_429_with_retry_after() {
    let app = limited("BROKER_RATE_LIMIT_PER_KEY", THREE).await;
    for (left, wait) in [(2, 1000), (1, 2000), (0, 3000)] {
        let reply = app.get("/uploads").await.expect_ok();
        let policy = Some("\"key\";q=3;w=3000");
        assert_eq!(reply.header("ratelimit-policy"), policy, "{reply:#?}");
        let expected = format!("\"key\";r={left};t={wait}");
        assert_eq!(reply.header("ratelimit"), Some(&*expected), "{reply:#?}");
    }
    let body = json!({"path": "/too-much.csv"});
    let reply = app.post("/uploads", body.clone()).await;
    assert_eq!(reply.header("retry-after"), Some("1000"), "{reply:#?}");
    let expected = Some("\"key\";r=0;t=1000");
    assert_eq!(reply.header("ratelimit"), expected, "{reply:#?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let problem = reply.expect_problem(429, "rate-limited");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("1000 s"), "{detail}");

    app.advance(TimeDelta::seconds(999));
    app.get("/uploads")
        .await
        .expect_problem(429, "rate-limited");
    app.advance(TimeDelta::seconds(1));
    // The rejected request has left nothing behind.
    let uploads = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(uploads, json!([]));
    app.get("/uploads")
        .await
        .expect_problem(429, "rate-limited");
    let metrics = app.broker.metrics.render();
    let count = "upload_broker_http_requests_rate_limited_total{limit=\"key\"} 3";
    assert!(metrics.contains(count), "{metrics}");
}

#[tokio::test]
async fn each_key_has_its_own_limit() {
    let app = limited("BROKER_RATE_LIMIT_PER_KEY", THREE).await;
    let (_, other) = app.issue_key("default", &Scope::ALL, None).await;
    let (_, another) = app.issue_key("acme", &Scope::ALL, None).await;
    for _ in 0..3 {
        app.get("/uploads").await.expect_ok();
    }
    app.get("/uploads")
        .await
        .expect_problem(429, "rate-limited");
    for key in [&other, &another] {
        let reply = get(&app, key, "/uploads").await.expect_ok();
        assert_eq!(reply.header("ratelimit"), Some("\"key\";r=2;t=1000"));
    }
}

/// However many tokens a key issues, and however their use is counted, they share the limit of the
/// key.
#[tokio::test]
async fn tokens_share_the_limit_of_the_key_that_issued_them() {
    let app = limited("BROKER_RATE_LIMIT_PER_KEY", "0.001:5").await;
    let mut tokens = Vec::new();
    for more in [
        json!({}),
        json!({"max_uploads": 9}),
        json!({"max_bytes": 9}),
    ] {
        let mut body = json!({"scopes": ["uploads:read"]});
        let members = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(members);
        let made = app.post("/tokens", body).await.expect(StatusCode::CREATED);
        tokens.push(made["token"].as_str().expect("a token").to_owned());
    }
    for token in &tokens[1..] {
        get(&app, token, "/uploads").await.expect(StatusCode::OK);
    }
    for token in tokens.iter().chain([&app.key]) {
        let reply = get(&app, token, "/uploads").await;
        reply.expect_problem(429, "rate-limited");
    }
}

#[tokio::test]
async fn address_limit_applies_before_authentication() {
    let app = limited("BROKER_RATE_LIMIT_PER_ADDRESS", THREE).await;
    // The number of guesses is limited, whatever their results are.
    for guess in ["ubk_one", "ubk_two", "nonsense"] {
        let reply = get(&app, guess, "/uploads").await;
        let policy = Some("\"address\";q=3;w=3000");
        assert_eq!(reply.header("ratelimit-policy"), policy, "{reply:#?}");
        reply.expect_problem(401, "unauthenticated");
    }
    get(&app, "ubk_four", "/uploads")
        .await
        .expect_problem(429, "rate-limited");
    // A valid key does not help, and neither does a page that needs no key.
    app.get("/uploads")
        .await
        .expect_problem(429, "rate-limited");
    app.get("/nowhere")
        .await
        .expect_problem(429, "rate-limited");
    app.get("/").await.expect_problem(429, "rate-limited");
    // Clients at other addresses are not affected.
    get_from(&app, "192.0.2.1", "/uploads").await.expect_ok();
}

#[tokio::test]
async fn health_and_metrics_endpoints_are_never_limited() {
    let app = limited("BROKER_RATE_LIMIT_PER_ADDRESS", "0.001:1").await;
    app.get("/").await.expect_ok();
    app.get("/").await.expect_problem(429, "rate-limited");
    for path in ["/livez", "/readyz", "/heartbeat", "/metrics"] {
        for _ in 0..3 {
            let reply = app.get(path).await.expect_ok();
            assert_eq!(reply.header("ratelimit"), None, "{reply:#?}");
        }
    }
}

#[tokio::test]
async fn ipv6_network_and_spellings_of_an_address_share_one_limit() {
    let app = limited("BROKER_RATE_LIMIT_PER_ADDRESS", THREE).await;
    for client in [
        "2001:db8:1:2::1",
        "2001:db8:1:2::2",
        "[2001:db8:1:2:ffff::3]:80",
    ] {
        get_from(&app, client, "/uploads").await.expect_ok();
    }
    get_from(&app, "2001:db8:1:2::4", "/uploads")
        .await
        .expect_problem(429, "rate-limited");
    get_from(&app, "2001:db8:1:3::1", "/uploads")
        .await
        .expect_ok();
    // The same machine with other spellings of its address.
    for client in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:4711"] {
        get_from(&app, client, "/uploads").await.expect_ok();
    }
    get_from(&app, "192.0.2.1", "/uploads")
        .await
        .expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn hundred_concurrent_requests_get_exactly_the_burst() {
    let app = limited("BROKER_RATE_LIMIT_PER_KEY", "0.001:20").await;
    let all = (0..100).map(|_| app.get("/uploads"));
    let all = futures::future::join_all(all).await;
    let of = |status| all.iter().filter(|reply| reply.status == status).count();
    assert_eq!(of(StatusCode::OK), 20);
    assert_eq!(of(StatusCode::TOO_MANY_REQUESTS), 80);
}

#[tokio::test]
async fn both_limits_are_reported_in_one_header() {
    let app = Setup::new()
        .set("BROKER_RATE_LIMIT_PER_KEY", "0.001:5")
        .set("BROKER_RATE_LIMIT_PER_ADDRESS", "0.001:9")
        .set("BROKER_CORS_ORIGINS", "https://app.example.org")
        .start()
        .await;
    let request = app.request(Method::GET, "/uploads");
    let reply = Reply::of(request.header("origin", "https://app.example.org")).await;
    let policy = Some("\"address\";q=9;w=9000, \"key\";q=5;w=5000");
    assert_eq!(reply.header("ratelimit-policy"), policy, "{reply:#?}");
    let left = Some("\"address\";r=8;t=1000, \"key\";r=4;t=1000");
    assert_eq!(reply.header("ratelimit"), left, "{reply:#?}");
    // Scripts of the configured origin may read the headers.
    let exposed = reply.header("access-control-expose-headers");
    let exposed = exposed.expect("a list");
    assert!(exposed.contains("ratelimit, ratelimit-policy"), "{exposed}");
}

#[tokio::test]
async fn limited_request_is_rejected_without_reading_its_body() {
    let app = limited("BROKER_RATE_LIMIT_PER_ADDRESS", "0.001:1").await;
    app.get("/uploads").await.expect_ok();
    // The rest of the body is never sent.
    let lines = "content-type: application/json\r\ncontent-length: 60000\r\n";
    let reply = raw::send(&app, raw::request(&app, "POST /uploads", lines, b"{")).await;
    reply.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn requests_are_not_limited_by_default() {
    let app = App::start().await;
    let reply = app.get("/uploads").await.expect_ok();
    assert_eq!(reply.header("ratelimit"), None, "{reply:#?}");
    assert_eq!(reply.header("ratelimit-policy"), None, "{reply:#?}");
}
