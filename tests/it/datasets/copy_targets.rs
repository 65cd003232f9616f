//! Copies that are refused, and targets that may be replaced.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::copy::copy;
use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;

async fn rows(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn copy_replaces_target_only_with_overwrite_or_if_match() {
    let app = App::start().await;
    app.upload("/a", "first", json!({})).await;
    let standing = app.upload("/b", "second", json!({})).await;
    app.bucket.put("foreign", "third").await;
    let before = rows(&app).await;
    let problem = copy(&app, "/a", json!({"to": "/b"})).await;
    let problem = problem.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], standing["id"], "{problem:#}");
    let problem = copy(&app, "/a", json!({"to": "/foreign"})).await;
    problem.expect_problem(409, "dataset-exists");
    for (to, etag) in [("/b", "\"0123\""), ("/none", "\"0123\"")] {
        let reply = copy(&app, "/a", json!({"to": to, "if_match": etag})).await;
        reply.expect_problem(409, "dataset-exists");
    }
    assert_eq!(rows(&app).await, before, "a refused copy leaves no row");
    assert_eq!(app.bucket.get("b").await, b"second");
    assert_eq!(app.bucket.get("foreign").await, b"third");
    assert!(app.bucket.head("none").await.is_none());

    let etag = &standing["object"]["etag"];
    let replaced = copy(&app, "/a", json!({"to": "/b", "if_match": etag})).await;
    let replaced = replaced.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("b").await, b"first");
    assert_eq!(app.read(&standing).await["status"], "Superseded");
    app.upload("/c", "fourth", json!({})).await;
    let again = copy(&app, "/c", json!({"to": "/b", "overwrite": true})).await;
    again.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("b").await, b"fourth");
    assert_eq!(app.read(&replaced).await["status"], "Superseded");
    let over = copy(&app, "/c", json!({"to": "/foreign", "overwrite": true})).await;
    over.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("foreign").await, b"fourth");
}

#[tokio::test]
async fn invalid_copy_is_rejected_with_pointer_and_changes_nothing() {
    let app = App::start().await;
    app.issue_key("acme", &upload_broker::domain::principal::Scope::ALL, None)
        .await;
    app.upload("/a", "bytes", json!({})).await;
    let before = rows(&app).await;
    for (body, pointer) in [
        (json!({}), "/to"),
        (json!({"to": 5}), "/to"),
        (json!({"to": ""}), "/to"),
        (json!({"to": "/a"}), "/to"),
        (json!({"to": "a"}), "/to"),
        (json!({"to": "//a"}), "/to"),
        (json!({"to": "/x/../b"}), "/to"),
        (json!({"to": "/x/"}), "/to"),
        (json!({"to": "/acme/x"}), "/to"),
        (json!({"to": "/b", "colour": "red"}), "/colour"),
        (json!({"to": "/b", "move": "yes"}), "/move"),
        (json!({"to": "/b", "if_match": "W/\"x\""}), "/if_match"),
        (
            json!({"to": "/b", "if_match": "\"x\"", "overwrite": false}),
            "/if_match",
        ),
    ] {
        let reply = copy(&app, "/a", body.clone()).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem:#}"
        );
    }
    for (from, status, code) in [
        ("/none", 404, "dataset-not-found"),
        ("/acme/x", 404, "dataset-not-found"),
        ("//a", 422, "invalid-request"),
        ("/x/", 422, "invalid-request"),
    ] {
        let reply = copy(&app, from, json!({"to": "/b"})).await;
        reply.expect_problem(status, code);
    }
    assert_eq!(rows(&app).await, before);
    assert!(app.bucket.head("b").await.is_none());
}

#[tokio::test]
async fn drifted_dataset_is_not_copied() {
    let app = App::start().await;
    let uploaded = app.upload("/a", "proven", json!({})).await;
    app.bucket.put("a", "foreign").await;
    for body in [json!({"to": "/b"}), json!({"to": "/b", "move": true})] {
        let problem = copy(&app, "/a", body).await;
        let problem = problem.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], uploaded["id"], "{problem:#}");
    }
    assert!(app.bucket.head("b").await.is_none());
    assert_eq!(app.bucket.get("a").await, b"foreign");
}

#[tokio::test]
async fn copy_respects_size_content_type_prefix_and_token_limits() {
    let app = Setup::new()
        .set("BROKER_MAX_SIZE_BYTES", 10)
        .set("BROKER_ALLOWED_CONTENT_TYPES", "text/csv")
        .start()
        .await;
    let put = |key: &str, kind: &str, bytes: &'static str| {
        let put = app.bucket.client.put_object().bucket(&app.bucket.name);
        put.key(key)
            .content_type(kind)
            .body(bytes.as_bytes().to_vec().into())
            .send()
    };
    put("large.csv", "text/csv", "eleven bytes")
        .await
        .expect("an object");
    put("a.exe", "application/x-odd", "x")
        .await
        .expect("an object");
    for (from, code) in [
        ("/large.csv", "size-limit-exceeded"),
        ("/a.exe", "content-type-not-allowed"),
    ] {
        let reply = copy(&app, from, json!({"to": "/b.csv"})).await;
        reply.expect_problem(422, code);
    }
    let token = json!({"prefix": "/in/", "scopes": ["uploads:write", "datasets:read"],
        "max_uploads": 1});
    let token = app.post("/tokens", token).await.expect(StatusCode::CREATED);
    put("in/a.csv", "text/csv", "x").await.expect("an object");
    let as_token = |from: &str, to: &str| {
        let url = format!("{}/datasets{from}/action/copy", app.url);
        let request = app.http.request(Method::POST, url);
        let request = request.bearer_auth(token["token"].as_str().expect("a token"));
        Reply::of(request.json(&json!({"to": to})))
    };
    as_token("/large.csv", "/in/b.csv")
        .await
        .expect_problem(404, "dataset-not-found");
    let out = as_token("/in/a.csv", "/out/b.csv").await;
    let out = out.expect_problem(403, "outside-prefix");
    assert_eq!(out["errors"][0]["pointer"], "/to", "{out:#}");
    as_token("/in/a.csv", "/in/b.csv")
        .await
        .expect(StatusCode::CREATED);
    as_token("/in/a.csv", "/in/c.csv")
        .await
        .expect_problem(403, "token-spent");
    assert!(app.bucket.head("in/c.csv").await.is_none());
    assert!(app.bucket.head("b.csv").await.is_none());
}

#[tokio::test]
async fn copy_stays_within_tenant_prefix() {
    let app = App::start().await;
    let scopes = upload_broker::domain::principal::Scope::ALL;
    let (_, key) = app.issue_key("acme", &scopes, None).await;
    let acme = crate::support::serving::Caller::new(app.url.clone(), key);
    acme.upload("/a", "theirs").await;
    app.upload("/a", "ours", json!({})).await;
    let request = acme.request(Method::POST, "/datasets/a/action/copy");
    let upload = Reply::of(request.json(&json!({"to": "/b"}))).await;
    let upload: Value = upload.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("acme/b").await, b"theirs");
    assert!(app.bucket.head("b").await.is_none());
    app.get(&format!("/uploads/{}", id(&upload)))
        .await
        .expect_problem(404, "upload-not-found");
}
