//! Malformed requests, written to the socket, and random input: the answer is always a problem or a
//! plain refusal, never a 5xx or a panic, and no row is left.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::app::App;
use crate::support::raw::{request, send};

mod noise;

async fn rows(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

/// The bytes of a POST of `body` as JSON.
fn post(app: &App, body: &[u8]) -> Vec<u8> {
    let lines = format!(
        "content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    request(app, "POST /uploads", &lines, body)
}

/// Asserts that the broker still answers and that no upload was created.
async fn assert_alive_without_rows(app: &App) {
    app.get("/heartbeat").await.expect(StatusCode::OK);
    assert_eq!(rows(app).await, 0, "a refused request left a row");
}

#[tokio::test]
async fn malformed_request_targets_get_client_errors() {
    let app = App::start().await;
    let long = "x".repeat(2_000);
    for (line, status, code) in [
        ("GET /datasets/../uploads", 422, "invalid-request"),
        ("GET /datasets/a/../b", 422, "invalid-request"),
        ("GET /datasets/%2e%2e/b", 422, "invalid-request"),
        ("GET /datasets/./b", 422, "invalid-request"),
        ("GET /datasets/a%2f%2e%2e%2fb", 422, "invalid-request"),
        // The key `/a` has no path. The path `/a` is written here without its slash, or with it encoded.
        ("GET /datasets//a", 422, "invalid-request"),
        ("GET /datasets/%2fa", 404, "dataset-not-found"),
        ("GET /datasets///a", 422, "invalid-request"),
        ("GET /datasets/a%zz", 404, "dataset-not-found"),
        ("GET /datasets/a%", 404, "dataset-not-found"),
        ("GET /datasets/%c3%28", 422, "invalid-request"),
        (
            "GET /datasets/a%0d%0aset-cookie:%20x",
            422,
            "invalid-request",
        ),
        (&format!("GET /datasets/{long}"), 422, "invalid-request"),
        (&format!("DELETE /datasets/{long}"), 422, "invalid-request"),
        ("GET /uploads?limit=%", 422, "invalid-request"),
        ("GET /uploads?prefix=%c3%28", 422, "invalid-request"),
        ("GET /uploads?%ff=1", 422, "invalid-request"),
        ("GET /uploads?&&&=&", 422, "invalid-request"),
        ("GET /uploads/%2e%2e", 422, "invalid-request"),
        ("GET //uploads", 404, "not-found"),
        ("BREW /uploads", 405, "method-not-allowed"),
        ("TRACE /uploads", 405, "method-not-allowed"),
        ("BREW /nowhere", 404, "not-found"),
        ("get /uploads", 405, "method-not-allowed"),
    ] {
        let reply = send(&app, request(&app, line, "", b"")).await;
        assert_eq!(reply.status, status, "{line}: {reply:#?}");
        reply.expect_problem(status, code);
        let problem: Value = serde_json::from_str(&reply.body).expect("JSON");
        if code == "invalid-request" {
            assert!(
                problem["errors"][0]["pointer"].is_string(),
                "{line}: {problem:#}"
            );
        }
        assert!(!reply.head.contains("set-cookie"), "{reply:#?}");
    }
    assert_alive_without_rows(&app).await;
}

#[tokio::test]
async fn malformed_bodies_get_client_errors() {
    let app = App::start().await;
    let nested = format!(
        "{{\"path\":\"/a\",\"metadata\":{}1{}}}",
        "{\"a\":".repeat(500),
        "}".repeat(500)
    );
    for (body, status, code) in [
        (
            &b"{\"path\":\"/a\",\"path\":\"/b\"}"[..],
            422,
            "invalid-request",
        ),
        (
            b"{\"path\":\"/a\",\"metadata\":{\"k\":\"v\",\"k\":7}}",
            422,
            "invalid-request",
        ),
        (nested.as_bytes(), 422, "invalid-request"),
        (b"{\"path\":\"/\xc3\x28\"}", 400, "invalid-json"),
        (b"\xef\xbb\xbf{\"path\":\"/a\"}", 400, "invalid-json"),
        (b"\xff\xfe{\0}\0", 400, "invalid-json"),
        (b"{\"path\":\"/a\",\"size\":NaN}", 400, "invalid-json"),
        (b"{\"path\":\"/a\",\"size\":1e400}", 400, "invalid-json"),
        (b"{\"path\":\"/a\"}{\"path\":\"/b\"}", 400, "invalid-json"),
        (b"{'path':'/a'}", 400, "invalid-json"),
        (b"null", 422, "invalid-request"),
        (b"true", 422, "invalid-request"),
    ] {
        let reply = send(&app, post(&app, body)).await;
        let excerpt = String::from_utf8_lossy(body)
            .chars()
            .take(80)
            .collect::<String>();
        assert_eq!(reply.status, status, "{excerpt}: {reply:#?}");
        reply.expect_problem(status, code);
    }
    assert_alive_without_rows(&app).await;
}

#[tokio::test]
async fn malformed_headers_get_client_errors() {
    let app = App::start().await;
    let huge = format!("x-huge: {}\r\n", "x".repeat(500_000));
    let many: String = (0..2_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    for lines in [
        huge.as_str(),
        many.as_str(),
        "content-length: -1\r\n",
        "content-length: 99999999999999999999\r\n",
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: nonsense\r\n",
        "no colon here\r\n",
        ": no name\r\n",
        "a header: with space\r\n",
        "x-null: \0\r\n",
    ] {
        let reply = send(&app, request(&app, "POST /uploads", lines, b"{}")).await;
        let excerpt = lines.chars().take(60).collect::<String>();
        assert!((400..500).contains(&reply.status), "{excerpt}: {reply:#?}");
    }
    // A body with an unsupported content coding is not read as plain text.
    let lines =
        "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 13\r\n";
    let reply = send(
        &app,
        request(&app, "POST /uploads", lines, b"{\"path\":\"/a\"}"),
    )
    .await;
    reply.expect_problem(415, "unsupported-media-type");
    assert_alive_without_rows(&app).await;
}

#[tokio::test]
async fn bytes_that_are_not_http_get_client_errors() {
    let app = App::start().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET /uploads HTTP/9.9\r\n\r\n",
        b"GET \0 HTTP/1.1\r\n\r\n",
        b"GET /upl\xc3\x28oads HTTP/1.1\r\nconnection: close\r\n\r\n",
    ] {
        let reply = send(&app, bytes).await;
        assert!((400..500).contains(&reply.status), "{bytes:?}: {reply:#?}");
    }
    assert_alive_without_rows(&app).await;
}

#[tokio::test]
async fn header_injection_into_signed_request_is_rejected() {
    let app = App::start().await;
    for field in [
        "content_disposition",
        "content_encoding",
        "content_language",
        "cache_control",
        "content_type",
        "storage_class",
        "if_match",
    ] {
        for value in [
            "a/b\r\nx-evil: 1",
            "a/b\nx",
            "a/b\0",
            "a/b\u{7f}",
            "a/b é",
            " a/b",
            "a/b ",
            "",
            "x\u{2028}y",
        ] {
            let body = serde_json::json!({"path": "/a", field: value});
            let problem = app.post("/uploads", body).await;
            let problem = problem.expect_problem(422, "invalid-request");
            assert_eq!(
                problem["errors"][0]["pointer"],
                format!("/{field}"),
                "{value:?}: {problem:#}"
            );
        }
    }
    for tags in [
        serde_json::json!({"a\r\nb": "c"}),
        serde_json::json!({"a": "b\0"}),
        serde_json::json!({"": "b"}),
        serde_json::json!({"a": "b#1"}),
        serde_json::json!({"a&b": "c"}),
        serde_json::json!({"aws:createdBy": "c"}),
        serde_json::json!({"AWS:x": "c"}),
    ] {
        let body = serde_json::json!({"path": "/a", "tags": tags});
        let problem = app
            .post("/uploads", body)
            .await
            .expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/tags", "{problem:#}");
    }
    assert_alive_without_rows(&app).await;
}
