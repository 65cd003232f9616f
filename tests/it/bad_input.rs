//! Invalid requests are rejected with the error and its position, and leave nothing behind: never a
//! 500, never a row.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::Reply;

async fn post_raw(app: &App, body: impl Into<Vec<u8>>) -> Reply {
    let request = app
        .request(Method::POST, "/uploads")
        .header("content-type", "application/json")
        .body(body.into());
    Reply::of(request).await
}

#[track_caller]
fn assert_points_at(problem: &Value, pointer: &str) {
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
}

async fn assert_no_rows(app: &App) {
    let rows = app.sql().await;
    let count = rows.query_one("SELECT count(*) FROM uploads", &[]);
    let count: i64 = count.await.expect("a count").get(0);
    assert_eq!(count, 0, "a refused request left a row");
}

#[tokio::test]
async fn create_rejects_each_invalid_field_with_pointer() {
    let app = App::start().await;
    let long = format!("/{}", "x".repeat(2_000));
    let metadata = json!({"path": "/a", "metadata": {"k": "v".repeat(3_000)}});
    for (body, pointer) in [
        (json!({}), "/path"),
        (json!({"path": 7}), "/path"),
        (json!({"path": ""}), "/path"),
        (json!({"path": "/a/../b"}), "/path"),
        (json!({"path": "/a//b"}), "/path"),
        (json!({"path": "/a\u{0}b"}), "/path"),
        (json!({"path": "/a\u{1b}b"}), "/path"),
        (json!({"path": "/a/action/b"}), "/path"),
        (json!({"path": long}), "/path"),
        (json!({"path": "/a", "size": -1}), "/size"),
        (json!({"path": "/a", "size": 1.5}), "/size"),
        (json!({"path": "/a", "size": "1"}), "/size"),
        (json!({"path": "/a", "size": u64::MAX}), "/size"),
        (json!({"path": "/a", "size": 1e30}), "/size"),
        (json!({"path": "/a", "name": "a\u{0}"}), "/name"),
        (json!({"path": "/a", "comments": "a\u{0}"}), "/comments"),
        (metadata, "/metadata"),
        (
            json!({"path": "/a", "metadata": {"a/b": 1}}),
            "/metadata/a~1b",
        ),
        (
            json!({"path": "/a", "content_type": "csv"}),
            "/content_type",
        ),
        (
            json!({"path": "/a", "content_type": "a/b\r\nx: y"}),
            "/content_type",
        ),
        (
            json!({"path": "/a", "cache_control": "a\nb"}),
            "/cache_control",
        ),
        (json!({"path": "/a", "expires_in": 0}), "/expires_in"),
        (json!({"path": "/a", "expires_in": 604_801}), "/expires_in"),
        (
            json!({"path": "/a", "expires_in": 5_000_000_000u64}),
            "/expires_in",
        ),
        (
            json!({"path": "/a", "checksum": {"algorithm": "MD5", "value": ""}}),
            "/checksum/algorithm",
        ),
        (
            json!({"path": "/a", "checksum": {"algorithm": "SHA256", "value": "!"}}),
            "/checksum/value",
        ),
        (
            json!({"path": "/a", "checksum": {"algorithm": "SHA256", "value": "AAAA"}}),
            "/checksum/value",
        ),
        (
            json!({"path": "/a", "checksum": {"algorithm": "SHA256"}}),
            "/checksum/value",
        ),
        (json!({"path": "/a", "overwrite": "yes"}), "/overwrite"),
        (json!({"path": "/a", "unknown": 1}), "/unknown"),
        (json!(["/a"]), ""),
        (json!("/a"), ""),
    ] {
        let reply = app.post("/uploads", body.clone()).await;
        assert_eq!(
            reply.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {reply:#?}"
        );
        assert_points_at(&reply.expect_problem(422, "invalid-request"), pointer);
    }
    let huge = json!({"path": "/a", "size": i64::MAX});
    let reply = app.post("/uploads", huge).await;
    assert_points_at(&reply.expect_problem(422, "size-limit-exceeded"), "/size");
    assert_no_rows(&app).await;
}

#[tokio::test]
async fn create_distinguishes_invalid_json_from_wrong_media_type() {
    let app = App::start().await;
    for body in [
        &b""[..],
        b"{",
        b"{\"path\":\"/a\",}",
        b"{\"path\":\"/a\"} x",
        b"{\"path\":\"/\xff\"}",
        b"{\"path\":\"\\ud800\"}",
        b"\0",
        b"path=/a",
    ] {
        let problem = post_raw(&app, body)
            .await
            .expect_problem(400, "invalid-json");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(" column "), "{problem:#}");
    }
    let deep = "[".repeat(60_000);
    post_raw(&app, deep)
        .await
        .expect_problem(400, "invalid-json");
    let form = app.request(Method::POST, "/uploads").body("path=/a");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    Reply::of(form)
        .await
        .expect_problem(415, "unsupported-media-type");
    assert_no_rows(&app).await;
}

#[tokio::test]
async fn body_of_ten_megabytes_is_rejected_in_any_encoding() {
    let app = App::start().await;
    let large = vec![b' '; 10_000_000];
    for _ in 0..3 {
        let reply = post_raw(&app, large.clone()).await;
        reply.expect_problem(413, "payload-too-large");
    }
    let chunks = large
        .chunks(100_000)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
    let chunks: Vec<_> = chunks.collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let request = app.request(Method::POST, "/uploads").body(body);
    Reply::of(request)
        .await
        .expect_problem(413, "payload-too-large");
    // A caller without a key is refused before the body is read.
    let request = app.http.post(format!("{}/uploads", app.url)).body(large);
    Reply::of(request)
        .await
        .expect_problem(401, "unauthenticated");
    assert_no_rows(&app).await;
}

#[tokio::test]
async fn each_invalid_parameter_is_rejected_with_pointer() {
    let app = App::start().await;
    for (path, pointer) in [
        ("/uploads?limit=0", "/limit"),
        ("/uploads?limit=1001", "/limit"),
        ("/uploads?limit=x", "/limit"),
        ("/uploads?limit=1&limit=2", "/limit"),
        ("/uploads?status=uploaded", "/status"),
        ("/uploads?cursor=nonsense", "/cursor"),
        ("/uploads?cursor=", "/cursor"),
        ("/uploads?prefix=%00", "/prefix"),
        ("/uploads?prefix=%FF", "/prefix"),
        ("/uploads?path=%0A", "/path"),
        ("/uploads?statuses=Uploaded", "/statuses"),
        ("/datasets?cursor=nonsense", "/cursor"),
        ("/datasets?delimiter=,", "/delimiter"),
        ("/datasets?include=everything", "/include"),
        ("/datasets?prefix=%00", "/prefix"),
        ("/uploads/1", "/id"),
        ("/uploads/%00", "/id"),
        ("/uploads/1/events", "/id"),
        ("/datasets/", "/path"),
        ("/datasets/a%00b", "/path"),
        ("/datasets/%FF", "/path"),
        ("/datasets/a%2F..%2Fb", "/path"),
        ("/datasets/a%2Faction%2Fdownload", "/path"),
        (
            "/datasets/a/action/download?disposition=both",
            "/disposition",
        ),
        ("/datasets/a/action/download?redirect=no", "/redirect"),
    ] {
        let reply = app.get(path).await;
        assert_eq!(
            reply.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{path}: {reply:#?}"
        );
        assert_points_at(&reply.expect_problem(422, "invalid-request"), pointer);
    }
    let long = format!("/datasets/{}", "x".repeat(2_000));
    assert_points_at(
        &app.get(&long).await.expect_problem(422, "invalid-request"),
        "/path",
    );
}

#[tokio::test]
async fn cursor_is_valid_for_its_own_list_only() {
    let app = App::start().await;
    for name in ["a", "b"] {
        app.create(&format!("/data/{name}"), json!({})).await;
        app.bucket.put(&format!("data/{name}"), name).await;
    }
    let cursor = |reply: &Reply| {
        let link = reply.header("link").expect("a next page");
        let (_, rest) = link.split_once("cursor=").expect("a cursor");
        rest.split(['>', '&']).next().expect("its end").to_owned()
    };
    let of_uploads = cursor(&app.get("/uploads?limit=1").await);
    let of_datasets = cursor(&app.get("/datasets?limit=1").await);
    for path in [
        format!("/uploads?cursor={of_datasets}"),
        format!("/datasets?cursor={of_uploads}"),
        format!("/datasets?prefix=/data/&cursor={of_datasets}"),
    ] {
        let problem = app.get(&path).await.expect_problem(422, "invalid-request");
        assert_points_at(&problem, "/cursor");
    }
}
