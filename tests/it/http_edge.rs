//! What holds for every answer: its request id, its headers, and its form when it fails.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::reply::Reply;

#[tokio::test]
async fn every_answer_has_request_id_and_replaces_invalid_one() {
    let app = App::start().await;
    for path in ["/heartbeat", "/uploads", "/nowhere", "/uploads/1", "/docs/"] {
        let request = app.request(Method::GET, path);
        let reply = Reply::of(request.header("x-request-id", "Mine-1.2_3")).await;
        assert_eq!(
            reply.header("x-request-id"),
            Some("Mine-1.2_3"),
            "{reply:#?}"
        );
        assert_eq!(
            reply.header("x-content-type-options"),
            Some("nosniff"),
            "{reply:#?}"
        );

        let request = app.request(Method::GET, path);
        let reply = Reply::of(request.header("x-request-id", "not {sane}")).await;
        let ours = reply.header("x-request-id").expect("an id");
        assert!(ours.parse::<uuid::Uuid>().is_ok(), "{path}: {ours}");
    }
}

#[tokio::test]
async fn unknown_route_is_404_and_wrong_method_is_405_problem() {
    let app = App::start().await;
    for path in ["/nowhere", "/uploads/", "/Uploads", "/heartbeat/x"] {
        app.get(path).await.expect_problem(404, "not-found");
    }
    let wrong = [
        (Method::PUT, "/uploads", "POST, GET"),
        (Method::DELETE, "/heartbeat", "GET"),
        (Method::POST, "/datasets/a/b", "GET, DELETE"),
        (Method::GET, "/datasets/a/b/action/acknowledge", "POST"),
    ];
    for (method, path, allowed) in wrong {
        let reply = Reply::of(app.request(method, path)).await;
        assert_eq!(reply.header("allow"), Some(allowed), "{reply:#?}");
        reply.expect_problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn head_returns_status_and_headers_of_get_without_body() {
    let app = App::start().await;
    let upload = app.upload("/data/a.csv", "a", json!({})).await;
    for path in [
        "/",
        "/heartbeat",
        "/uploads",
        &format!("/uploads/{}", id(&upload)),
        "/datasets/data/a.csv",
    ] {
        let get = app.get(path).await;
        let head = Reply::of(app.request(Method::HEAD, path)).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.body, "", "{path}");
        for name in ["content-length", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
    let nothing = Reply::of(app.request(Method::HEAD, "/datasets/data/b.csv")).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND, "{nothing:#?}");
}

#[tokio::test]
async fn preflight_allows_configured_headers() {
    let origin = "https://app.example.org";
    let app = Setup::new()
        .set("BROKER_CORS_ORIGINS", origin)
        .set("BROKER_CORS_HEADERS", "X-My-Trace, x-team")
        .start()
        .await;
    let preflight = app
        .http
        .request(Method::OPTIONS, format!("{}/uploads", app.url))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "traceparent,x-my-trace");
    let reply = Reply::of(preflight).await;
    let allowed = reply.header("access-control-allow-headers");
    let allowed: Vec<_> = allowed.expect("headers").split(", ").collect();
    for name in ["authorization", "traceparent", "x-my-trace", "x-team"] {
        assert!(allowed.contains(&name), "{name}: {reply:#?}");
    }
}

#[tokio::test]
async fn media_types_codings_and_accept_are_parsed_by_their_rules() {
    let app = App::start().await;
    let post = |content_type: &str, coding: &str| {
        let request = app.request(Method::POST, "/uploads");
        let request = request.header("content-type", content_type);
        let request = request.header("content-encoding", coding);
        Reply::of(request.body(r#"{"path":"/a.csv"}"#))
    };
    for (content_type, coding) in [
        ("Application/JSON", "identity"),
        ("application/json ; Charset=UTF-8", "Identity"),
        ("application/json", "identity, IDENTITY"),
    ] {
        post(content_type, coding).await.expect(StatusCode::CREATED);
    }
    for (content_type, coding) in [
        ("application/jsonp", "identity"),
        ("text/json", "identity"),
        ("application/json", "gzip"),
        ("application/json", "identity, gzip"),
    ] {
        let reply = post(content_type, coding).await;
        assert_eq!(
            reply.header("accept-encoding"),
            Some("identity"),
            "{reply:#?}"
        );
        reply.expect_problem(415, "unsupported-media-type");
    }
    app.bucket.put("a.csv", "a").await;
    for (accept, is_stream) in [
        ("Application/X-NDJSON", true),
        ("text/html;q=0.9, application/x-ndjson;q=0.5", true),
        ("application/x-ndjson;q=0, */*", false),
        ("application/x-ndjson;q=0.1, application/json", false),
        ("*/*", false),
    ] {
        let request = app.request(Method::GET, "/datasets");
        let reply = Reply::of(request.header("accept", accept))
            .await
            .expect_ok();
        let expected = if is_stream {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        assert_eq!(
            reply.header("content-type"),
            Some(expected),
            "{accept}: {reply:#?}"
        );
    }
}

#[tokio::test]
async fn cors_headers_are_sent_to_configured_origins_only() {
    let origin = "https://app.example.org";
    let app = Setup::new()
        .set("BROKER_CORS_ORIGINS", origin)
        .start()
        .await;
    let preflight = |origin: &str| {
        app.http
            .request(Method::OPTIONS, format!("{}/uploads", app.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
    };
    let reply = Reply::of(preflight(origin)).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    let reply = Reply::of(preflight("https://app.example.org.evil.example")).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        None,
        "{reply:#?}"
    );

    let request = app
        .request(Method::GET, "/uploads/1")
        .header("origin", origin);
    let reply = Reply::of(request).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some(origin),
        "{reply:#?}"
    );
    let exposed = reply
        .header("access-control-expose-headers")
        .unwrap_or_default();
    for name in ["link", "location", "etag", "retry-after", "x-request-id"] {
        assert!(exposed.contains(name), "{name} is not in {exposed:?}");
    }
}

#[tokio::test]
async fn no_cors_headers_without_configured_origins() {
    let app = App::start().await;
    let request = app.request(Method::GET, "/heartbeat");
    let reply = Reply::of(request.header("origin", "https://app.example.org")).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        None,
        "{reply:#?}"
    );
}

#[tokio::test]
async fn unavailable_s3_is_503_without_internal_details() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    app.bucket.put("data/a.csv", "a").await;
    gate.close().await;
    for path in [
        "/datasets",
        "/datasets/data/a.csv",
        "/datasets/data/a.csv/action/download",
    ] {
        let reply = app.get(path).await;
        assert!(reply.header("retry-after").is_some(), "{reply:#?}");
        let port = gate.addr().port().to_string();
        for secret in ["127.0.0.1", &port, &app.bucket.name, "dispatch", "hyper"] {
            assert!(!reply.body.contains(secret), "{secret} in {reply:#?}");
        }
        reply.expect_problem(503, "service-unavailable");
    }
    gate.restore();
    app.get("/datasets").await.expect(StatusCode::OK);
}
