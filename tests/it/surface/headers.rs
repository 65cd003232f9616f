//! Headers of every answer.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;

/// `(method, path, needs a key)` of every operation, with existing names in the templates.
fn operations(upload: &Value) -> Vec<(Method, String, bool)> {
    let document: Value =
        serde_json::from_str(&upload_broker::http::openapi::json()).expect("the document");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path
            .replace("{id}", id(upload))
            .replace("{path}", "data/a.csv")
            .replace("{code}", "not-found");
        for (method, operation) in item.as_object().expect("an item") {
            let method = method.to_uppercase().parse().expect("a method");
            all.push((method, path.clone(), operation["security"] != json!([])));
        }
    }
    // Operations that remove something come last.
    all.sort_by_key(|(method, path, _)| (method == Method::DELETE, path.contains("/cancel")));
    all
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = App::start().await;
    let upload = app.upload("/data/a.csv", "a", json!({})).await;
    let mut guarded = 0;
    for (method, path, needs_key) in operations(&upload) {
        let request = format!("{method} {path}");
        let reply = Reply::of(app.request(method.clone(), &path)).await;
        assert!(!reply.status.is_server_error(), "{request}: {reply:#?}");
        assert_security_headers(&request, &reply);
        if needs_key {
            guarded += 1;
            let kept = reply.header("cache-control").unwrap_or_default();
            assert!(kept.contains("no-store"), "{request}: {reply:#?}");
            let url = format!("{}{path}", app.url);
            let refused = Reply::of(app.http.request(method, url)).await;
            assert_security_headers(&request, &refused);
            assert_eq!(
                refused.header("cache-control"),
                Some("no-store"),
                "{request}"
            );
        }
    }
    assert!(guarded >= 15, "only {guarded} operations need a key");
    for path in ["/nowhere", "/docs/", "/docs/swagger-ui.css", "/docs"] {
        assert_security_headers(path, &app.get(path).await);
    }
}

#[track_caller]
fn assert_security_headers(request: &str, reply: &Reply) {
    let nosniff = reply.header("x-content-type-options");
    assert_eq!(nosniff, Some("nosniff"), "{request}: {reply:#?}");
    for name in ["server", "x-powered-by", "via", "strict-transport-security"] {
        assert_eq!(reply.header(name), None, "{name} of {request}: {reply:#?}");
    }
}

/// A URL in an answer is a credential, which no cache on the way may keep.
#[tokio::test]
async fn answers_with_signed_urls_are_never_cached() {
    let app = App::start().await;
    app.upload("/data/a.csv", "a", json!({})).await;
    let open = app.create("/data/open.csv", json!({})).await;
    let large = json!({"size": 11_000_000, "multipart": true});
    let parts = app.create("/data/large.bin", large).await;
    let (open, parts) = (id(&open), id(&parts));
    let posts = [
        ("/uploads".to_owned(), json!({"path": "/data/b.csv"})),
        (
            "/uploads/batch".into(),
            json!({"uploads": [{"path": "/data/c.csv"}]}),
        ),
        (
            format!("/uploads/{parts}/parts"),
            json!({"part_numbers": [1]}),
        ),
    ];
    let mut replies = Vec::new();
    for (path, body) in posts {
        replies.push((path.clone(), app.post(&path, body).await));
    }
    for path in [
        format!("/uploads/{open}?refresh_urls=true"),
        format!("/uploads/{parts}?refresh_urls=true"),
        "/datasets/data/a.csv".into(),
        "/datasets/data/a.csv/action/download".into(),
        "/datasets/data/a.csv/action/download?redirect=false".into(),
    ] {
        replies.push((path.clone(), app.get(&path).await));
    }
    for (path, reply) in replies {
        let location = reply.header("location").unwrap_or_default();
        let all = format!("{location}{}", reply.body);
        assert!(all.contains("X-Amz-Signature="), "{path}: {reply:#?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
}

/// A browser sends credentials, such as the cookie of a proxy in front of the broker, only for
/// listed origins.
#[tokio::test]
async fn cors_allows_only_listed_origins_with_credentials() {
    let app = Setup::new()
        .set("BROKER_CORS_ORIGINS", "https://app.example.org")
        .start()
        .await;
    for (origin, listed) in [
        ("https://app.example.org", true),
        ("https://APP.example.org", false),
        ("http://app.example.org", false),
        ("https://app.example.org:8443", false),
        ("https://evil.example/?https://app.example.org", false),
        ("null", false),
        ("*", false),
    ] {
        for method in [Method::GET, Method::OPTIONS] {
            let request = app.request(method, "/uploads").header("origin", origin);
            let request = request.header("access-control-request-method", "GET");
            let reply = Reply::of(request).await;
            let allowed = reply.header("access-control-allow-origin");
            assert_eq!(allowed, listed.then_some(origin), "{reply:#?}");
            let cookies = reply.header("access-control-allow-credentials");
            assert_eq!(cookies, listed.then_some("true"), "{reply:#?}");
            assert_eq!(reply.header("vary"), Some("Origin"), "{reply:#?}");
        }
    }
}
