//! A credential with a path prefix: paths outside of it do not exist for its caller.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::issuer::{SECRET, Signer, claims};
use super::not_found_problems;
use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// A broker with datasets inside and outside of `/in/`, and a caller who is confined to `/in`.
async fn app_with_confined_caller() -> (App, Caller) {
    let app = Setup::new()
        .set("BROKER_JWT_HS256_SECRET", SECRET)
        .start()
        .await;
    for key in [
        "in/a.csv",
        "in/deep/b.csv",
        "inbox/c.csv",
        "in",
        "out/in/d.csv",
    ] {
        app.bucket.put(key, key).await;
    }
    let signer = Signer::of_secret("any", SECRET.as_bytes());
    let claims = claims(&app, json!({"aud": null, "path_prefix": "/in"}));
    let confined = Caller::new(app.url.clone(), signer.sign(&claims));
    (app, confined)
}

async fn post(caller: &Caller, path: &str, body: Value) -> Reply {
    Reply::of(caller.request(Method::POST, path).json(&body)).await
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("an array").iter();
    list.map(|one| one["path"].as_str().expect("a path"))
        .collect()
}

#[tokio::test]
async fn create_outside_prefix_is_rejected() {
    let (app, confined) = app_with_confined_caller().await;
    for path in [
        "/out.csv",
        "/inbox/x.csv",
        "/in",
        "in2/x",
        "/IN/x",
        "/out/in/x",
    ] {
        let reply = post(&confined, "/uploads", json!({"path": path})).await;
        let problem = reply.expect_problem(403, "outside-prefix");
        assert_eq!(problem["errors"][0]["pointer"], "/path", "{problem:#}");
    }
    for path in ["/in/../out.csv", "/in/./x", "/in//x"] {
        let reply = post(&confined, "/uploads", json!({"path": path})).await;
        reply.expect_problem(422, "invalid-request");
    }
    let batch = json!({"uploads": [{"path": "/in/1"}, {"path": "/out"}, {"path": "in/2"}]});
    let results = post(&confined, "/uploads/batch", batch)
        .await
        .expect(StatusCode::OK);
    let statuses = results["results"].as_array().expect("results").iter();
    let statuses: Vec<_> = statuses.map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [201, 403, 201], "{results:#}");
    assert_eq!(results["results"][1]["problem"]["code"], "outside-prefix");
    let list = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(paths(&list), ["/in/2", "/in/1"]);
}

#[tokio::test]
async fn uploads_and_datasets_outside_prefix_are_not_found() {
    let (app, confined) = app_with_confined_caller().await;
    let pending = app.create("/inbox/p.csv", json!({"multipart": true})).await;
    let uploaded = app.upload("/u.csv", "x", json!({})).await;
    let before = (app.read(&pending).await, app.read(&uploaded).await);
    not_found_problems(&confined, &[&pending, &uploaded]).await;
    for (method, path, code) in [
        (
            Method::POST,
            "/datasets/u.csv/action/acknowledge",
            "upload-not-found",
        ),
        (
            Method::POST,
            "/datasets/inbox/p.csv/action/acknowledge",
            "upload-not-found",
        ),
        (Method::DELETE, "/datasets/u.csv", "dataset-not-found"),
        (
            Method::DELETE,
            "/datasets/u.csv?force=remove",
            "dataset-not-found",
        ),
        (Method::GET, "/datasets/u.csv", "dataset-not-found"),
        (Method::GET, "/datasets/inbox/c.csv", "dataset-not-found"),
        (Method::GET, "/datasets/in", "dataset-not-found"),
        (
            Method::GET,
            "/datasets/u.csv/action/download",
            "dataset-not-found",
        ),
        (
            Method::GET,
            "/datasets/inbox%2Fc.csv/action/download",
            "dataset-not-found",
        ),
    ] {
        let reply = Reply::of(confined.request(method, path)).await;
        reply.expect_problem(404, code);
    }
    let after = (app.read(&pending).await, app.read(&uploaded).await);
    assert_eq!(before, after);
    assert_eq!(app.bucket.get("u.csv").await, b"x");
}

#[tokio::test]
async fn every_operation_works_inside_prefix() {
    let (app, confined) = app_with_confined_caller().await;
    let upload = confined.upload("/in/new.csv", "x").await;
    let path = format!("/uploads/{}", id(&upload));
    for path in [
        &*path,
        &format!("{path}/events"),
        "/datasets/in/new.csv",
        "/datasets/in/a.csv/action/download?redirect=false",
    ] {
        confined.get(path).await.expect(StatusCode::OK);
    }
    confined
        .post_empty("/datasets/in/new.csv/action/acknowledge")
        .await
        .expect(StatusCode::OK);
    let gone = confined.request(Method::DELETE, "/datasets/in/new.csv");
    assert_eq!(Reply::of(gone).await.status, StatusCode::NO_CONTENT);
    assert!(app.bucket.head("in/new.csv").await.is_none());
}

#[tokio::test]
async fn list_of_uploads_shows_only_uploads_inside_prefix() {
    let (app, confined) = app_with_confined_caller().await;
    for path in ["/in/1", "/inbox/2", "/in/3", "/4", "/in/5"] {
        app.create(path, json!({})).await;
    }
    for (query, expected) in [
        ("", vec!["/in/5", "/in/3", "/in/1"]),
        ("?prefix=/", vec!["/in/5", "/in/3", "/in/1"]),
        ("?prefix=/i", vec!["/in/5", "/in/3", "/in/1"]),
        ("?prefix=/in/3", vec!["/in/3"]),
        ("?prefix=/inbox/", vec![]),
        ("?prefix=%25", vec![]),
        ("?path=/4", vec![]),
        ("?path=/in/1", vec!["/in/1"]),
    ] {
        let list = confined.get(&format!("/uploads{query}")).await;
        assert_eq!(paths(&list.expect(StatusCode::OK)), expected, "{query}");
    }
    // A cursor is a position and grants nothing; the page holds only visible uploads.
    let page = app.get("/uploads?limit=2").await;
    let next = page.header("link").expect("a next page").to_owned();
    let next = next
        .trim_start_matches('<')
        .split('>')
        .next()
        .expect("a path");
    let list = confined.get(next).await.expect(StatusCode::OK);
    assert_eq!(paths(&list), ["/in/3", "/in/1"]);
}

#[tokio::test]
async fn list_of_datasets_shows_only_datasets_inside_prefix() {
    let (app, confined) = app_with_confined_caller().await;
    for (query, expected) in [
        ("", vec!["/in/a.csv", "/in/deep/b.csv"]),
        ("?prefix=/", vec!["/in/a.csv", "/in/deep/b.csv"]),
        ("?prefix=in", vec!["/in/a.csv", "/in/deep/b.csv"]),
        ("?prefix=/in/deep", vec!["/in/deep/b.csv"]),
        ("?prefix=/inbox/", vec![]),
        ("?prefix=/in2", vec![]),
        ("?prefix=/in/../", vec![]),
        // Above the prefix, a list shows only the folders that lead to it.
        ("?delimiter=/", vec!["/in/"]),
        ("?prefix=/i&delimiter=/", vec!["/in/"]),
        ("?prefix=/in/&delimiter=/", vec!["/in/a.csv", "/in/deep/"]),
        ("?prefix=/out/&delimiter=/", vec![]),
    ] {
        for accept in ["application/json", "application/x-ndjson"] {
            let request = confined.request(Method::GET, &format!("/datasets{query}"));
            let reply = Reply::of(request.header("accept", accept))
                .await
                .expect_ok();
            let list = match accept {
                "application/json" => reply.json(),
                _ => {
                    let lines = reply.body.lines();
                    lines
                        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
                        .collect()
                }
            };
            assert_eq!(paths(&list), expected, "{query}");
        }
    }
    // The cursor of another caller.
    for first in ["/datasets?limit=1", "/datasets?limit=1&prefix=/inbox/"] {
        let page = app.get(first).await;
        let Some(link) = page.header("link") else {
            continue;
        };
        let next = link
            .trim_start_matches('<')
            .split('>')
            .next()
            .expect("a path");
        let reply = confined.get(next).await;
        if reply.status == StatusCode::OK {
            let list = reply.json();
            assert!(
                paths(&list).iter().all(|path| path.starts_with("/in/")),
                "{list:#}"
            );
        } else {
            reply.expect_problem(422, "invalid-request");
        }
    }
}

#[tokio::test]
async fn reused_idempotency_key_of_another_caller_reveals_no_upload() {
    let (app, confined) = app_with_confined_caller().await;
    let with_key = |caller: &Caller, path: &str| {
        let request = caller.request(Method::POST, "/uploads");
        Reply::of(
            request
                .header("idempotency-key", "one")
                .json(&json!({"path": path})),
        )
    };
    let all = Caller::new(app.url.clone(), app.key.clone());
    with_key(&all, "/out.csv").await.expect(StatusCode::CREATED);
    for path in ["/out.csv", "/in/mine.csv"] {
        let reply = with_key(&confined, path).await;
        let problem = reply.json();
        assert!(matches!(reply.status.as_u16(), 403 | 422), "{problem:#}");
        assert!(problem.get("upload_id").is_none(), "{problem:#}");
    }
    let batch = confined.request(Method::POST, "/uploads/batch");
    let batch = batch.header("idempotency-key", "one");
    let reply = Reply::of(batch.json(&json!({"uploads": [{"path": "/in/x"}]}))).await;
    let problem = reply.expect_problem(422, "idempotency-key-reused");
    assert!(problem.get("upload_id").is_none(), "{problem:#}");
}
