//! `GET /datasets/{path}/action/download`: the bytes come from S3 and not from the broker.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::fields;
use crate::support::app::App;
use crate::support::reply::Reply;

const BYTES: &str = "0123456789";

/// The URL to which a download redirects.
async fn target(app: &App, path: &str) -> String {
    let reply = app.get(path).await;
    assert_eq!(reply.status, StatusCode::FOUND, "{reply:#?}");
    assert_eq!(
        reply.header("cache-control"),
        Some("no-store"),
        "{reply:#?}"
    );
    assert_eq!(reply.body, "");
    reply.header("location").expect("a location").to_owned()
}

#[tokio::test]
async fn download_redirects_to_bytes_with_range_and_conditional_requests() {
    let app = App::start().await;
    app.upload("/data/a.txt", BYTES, json!({})).await;
    let url = target(&app, "/datasets/data/a.txt/action/download").await;
    let whole = Reply::of(app.http.get(&url)).await.expect_ok();
    assert_eq!(whole.body, BYTES);
    assert_eq!(whole.header("content-type"), Some("text/plain"));
    let part = Reply::of(app.http.get(&url).header("range", "bytes=2-5")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{part:#?}");
    assert_eq!(part.body, "2345");
    let etag = whole.header("etag").expect("an etag");
    let same = Reply::of(app.http.get(&url).header("if-none-match", etag)).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED, "{same:#?}");
}

#[tokio::test]
async fn head_redirects_to_url_that_is_valid_for_head_only() {
    let app = App::start().await;
    app.upload("/data/a.txt", BYTES, json!({})).await;
    for query in ["", "?disposition=attachment"] {
        let path = format!("/datasets/data/a.txt/action/download{query}");
        let reply = Reply::of(app.request(Method::HEAD, &path)).await;
        assert_eq!(reply.status, StatusCode::FOUND, "{reply:#?}");
        let url = reply.header("location").expect("a location");
        let head = Reply::of(app.http.head(url)).await.expect_ok();
        assert_eq!(head.header("content-length"), Some("10"), "{head:#?}");
        assert_eq!(head.header("content-type"), Some("text/plain"), "{head:#?}");
        // The signature is valid for HEAD only.
        let get = Reply::of(app.http.get(url)).await;
        assert_eq!(get.status, StatusCode::FORBIDDEN, "{get:#?}");
    }
    // With the URL in the body, HEAD has the headers of GET.
    let path = "/datasets/data/a.txt/action/download?redirect=false";
    let (get, head) = (app.get(path).await, app.request(Method::HEAD, path));
    let head = Reply::of(head).await.expect_ok();
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

#[tokio::test]
async fn download_without_redirect_returns_url_in_body() {
    let app = App::start().await;
    app.upload("/a.txt", BYTES, json!({})).await;
    let path = "/datasets/a.txt/action/download?redirect=false";
    let answer = app.get(path).await.expect(StatusCode::OK);
    assert_eq!(fields(&answer), BTreeSet::from(["url", "expires_at"]));
    let expires = answer["expires_at"].as_str().expect("a time");
    assert!(expires.len() == 24 && expires.ends_with('Z'), "{expires}");
    let url = answer["url"].as_str().expect("a URL");
    assert_eq!(Reply::of(app.http.get(url)).await.body, BYTES);
    target(&app, "/datasets/a.txt/action/download?redirect=true").await;
}

#[tokio::test]
async fn download_sets_content_disposition_with_encoded_file_name() {
    let app = App::start().await;
    for (path, wish, expected) in [
        (
            "/plain.txt",
            "attachment",
            "attachment; filename=\"plain.txt\"; filename*=UTF-8''plain.txt",
        ),
        (
            "/a/plain.txt",
            "inline",
            "inline; filename=\"plain.txt\"; filename*=UTF-8''plain.txt",
        ),
        (
            "/a/été \"1\".txt",
            "attachment",
            "attachment; filename=\"_t_ _1_.txt\"; filename*=UTF-8''%C3%A9t%C3%A9%20%221%22.txt",
        ),
        (
            "/a/日本;x=1.txt",
            "attachment",
            "attachment; filename=\"__;x=1.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%3Bx%3D1.txt",
        ),
    ] {
        app.bucket.put(&path[1..], BYTES).await;
        let encoded = super::paths::encoded(path);
        let query = format!("/datasets/{encoded}/action/download?disposition={wish}");
        let url = target(&app, &query).await;
        let got = Reply::of(app.http.get(&url)).await.expect_ok();
        assert_eq!(got.header("content-disposition"), Some(expected), "{path}");
        assert_eq!(got.body, BYTES);
    }
    // Without the parameter, the value that is stored with the object applies.
    let stored = json!({"content_disposition": "attachment; filename=\"kept.txt\""});
    app.upload("/kept", BYTES, stored).await;
    let url = target(&app, "/datasets/kept/action/download").await;
    let got = Reply::of(app.http.get(&url)).await.expect_ok();
    let kept = Some("attachment; filename=\"kept.txt\"");
    assert_eq!(got.header("content-disposition"), kept);
}

#[tokio::test]
async fn download_of_missing_dataset_is_not_found() {
    let app = App::start().await;
    app.get("/datasets/a.txt/action/download")
        .await
        .expect_problem(404, "dataset-not-found");
}
