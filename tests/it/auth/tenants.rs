//! The uploads of another tenant do not exist for a caller.

use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::{get_as, not_found_problems};
use crate::support::app::{App, id};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

#[tokio::test]
async fn upload_of_another_tenant_is_not_found_on_every_operation() {
    let app = App::start().await;
    let (_, stranger) = app.issue_key("acme", &Scope::ALL, None).await;
    let pending = app.create("/p.csv", json!({})).await;
    let uploaded = app.upload("/u.csv", "x", json!({})).await;
    let before = (app.read(&pending).await, app.read(&uploaded).await);
    let stranger = Caller::new(app.url.clone(), stranger);
    for problem in not_found_problems(&stranger, &[&pending, &uploaded]).await {
        assert!(problem.get("upload_status").is_none(), "{problem:#}");
    }
    let after = (app.read(&pending).await, app.read(&uploaded).await);
    assert_eq!(before, after);
    assert_eq!(app.bucket.get("u.csv").await, b"x");
}

#[tokio::test]
async fn list_shows_only_uploads_of_own_tenant() {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let ours = app.create("/same.csv", json!({})).await;
    let post = app
        .http
        .post(format!("{}/uploads", app.url))
        .bearer_auth(&acme);
    let theirs = Reply::of(post.json(&json!({"path": "/same.csv"}))).await;
    let theirs = theirs.expect(StatusCode::CREATED);
    let s3_url = format!("s3://{}/acme/same.csv", app.bucket.name);
    assert_eq!(theirs["s3_url"], s3_url, "{theirs:#}");
    assert_eq!(theirs["path"], "/same.csv", "{theirs:#}");
    for query in [
        "",
        "?path=/same.csv",
        "?prefix=/",
        "?status=Pending",
        "?prefix=acme",
    ] {
        let list = get_as(&app, &acme, &format!("/uploads{query}")).await;
        let list = list.expect(StatusCode::OK);
        for upload in list.as_array().expect("an array") {
            assert_eq!(upload["id"], theirs["id"], "{query}: {list:#}");
        }
    }
    // A cursor is a position and grants nothing.
    for _ in 0..2 {
        app.create("/more.csv", json!({})).await;
    }
    let page = app.get("/uploads?limit=1").await;
    let link = page.header("link").expect("a next page");
    let next = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .expect("a path");
    let list = get_as(&app, &acme, next).await.expect(StatusCode::OK);
    let ids: Vec<_> = list.as_array().expect("an array").iter().map(id).collect();
    assert!(!ids.contains(&id(&ours)), "{list:#}");
}

#[tokio::test]
async fn same_path_of_two_tenants_is_independent() {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    app.upload("/a.csv", "ours", json!({})).await;
    let as_acme = |method: Method, path: &str| {
        let url = format!("{}{path}", app.url);
        app.http.request(method, url).bearer_auth(&acme)
    };
    // The other tenant's dataset neither blocks the path nor can be reached.
    let post = as_acme(Method::POST, "/uploads").json(&json!({"path": "/a.csv"}));
    let session = Reply::of(post).await.expect(StatusCode::CREATED);
    let acknowledge = "/datasets/a.csv/action/acknowledge";
    Reply::of(as_acme(Method::POST, acknowledge))
        .await
        .expect_problem(409, "object-missing");
    app.put(&session, "theirs").await.expect_ok();
    let uploaded = Reply::of(as_acme(Method::POST, acknowledge)).await;
    assert_eq!(uploaded.expect(StatusCode::OK)["id"], session["id"]);
    let reply = Reply::of(as_acme(Method::DELETE, "/datasets/a.csv")).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.bucket.get("a.csv").await, b"ours");
    assert!(app.bucket.head("acme/a.csv").await.is_none());
}
