//! `Idempotency-Key`: a client that repeats a request because the answer was lost creates no second
//! upload.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::support::app::{App, id};
use crate::support::reply::Reply;

async fn create_with_key(app: &App, api_key: &str, key: &str, body: &Value) -> Reply {
    let request = app
        .http
        .request(Method::POST, format!("{}/uploads", app.url));
    let request = request.bearer_auth(api_key).header("idempotency-key", key);
    Reply::of(request.json(body)).await
}

async fn count_uploads(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn repeated_create_returns_same_upload_with_fresh_url() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "size": 3, "expires_in": 60});
    let first = create_with_key(&app, &app.key, "k-1", &body)
        .await
        .expect(StatusCode::CREATED);
    app.advance(TimeDelta::seconds(50));
    let reply = create_with_key(&app, &app.key, "k-1", &body).await;
    assert_eq!(
        reply.header("location"),
        Some(&*format!("/uploads/{}", id(&first)))
    );
    let again = reply.expect(StatusCode::OK);
    assert_eq!(again["id"], first["id"]);
    assert_ne!(
        again["upload"]["url"], first["upload"]["url"],
        "the URL is not fresh"
    );
    assert!(
        again["expires_at"].as_str() > first["expires_at"].as_str(),
        "{again:#}"
    );
    assert_eq!(count_uploads(&app).await, 1);

    app.put(&again, "abc").await.expect_ok();
    app.acknowledge(&again).await.expect(StatusCode::OK);
    let done = create_with_key(&app, &app.key, "k-1", &body)
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (&done["status"], &done["upload"]),
        (&json!("Uploaded"), &Value::Null)
    );
}

#[tokio::test]
async fn key_reused_with_other_body_is_rejected_and_keys_are_per_tenant() {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let body = json!({"path": "/a.csv"});
    let first = create_with_key(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    let other = json!({"path": "/a.csv", "size": 1});
    let problem = create_with_key(&app, &app.key, "k", &other).await;
    let problem = problem.expect_problem(422, "idempotency-key-reused");
    assert_eq!(problem["upload_id"], first["id"], "{problem:#}");
    assert_eq!(count_uploads(&app).await, 1);
    let theirs = create_with_key(&app, &acme, "k", &other)
        .await
        .expect(StatusCode::CREATED);
    assert_ne!(theirs["id"], first["id"]);
}

#[tokio::test]
async fn fifty_concurrent_creates_with_one_key_make_one_upload() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "metadata": {"b": "2", "a": "1"}});
    let replies = (0..50).map(|_| create_with_key(&app, &app.key, "one", &body));
    let replies = futures::future::join_all(replies).await;
    let made = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED)
        .count();
    let ids: BTreeSet<_> = replies
        .into_iter()
        .map(|reply| id(&reply.expect_ok().json()).to_owned())
        .collect();
    assert_eq!(
        (made, ids.len(), count_uploads(&app).await),
        (1, 1, 1),
        "{ids:?}"
    );
}

#[tokio::test]
async fn key_stays_free_after_rejected_create() {
    let app = App::start().await;
    let standing = app.upload("/a.csv", "abc", json!({})).await;
    let body = json!({"path": "/a.csv"});
    create_with_key(&app, &app.key, "k", &body)
        .await
        .expect_problem(409, "dataset-exists");
    app.delete(&format!("/uploads/{}", id(&standing)))
        .await
        .expect_ok();
    create_with_key(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn key_of_ended_session_is_kept_for_24_hours_then_removed_by_janitor() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "expires_in": 604_800});
    let first = create_with_key(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    app.advance(TimeDelta::hours(23));
    let same = create_with_key(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::OK);
    assert_eq!(same["id"], first["id"]);
    let cancel = format!("/uploads/{}/cancel", id(&first));
    app.post_empty(&cancel).await.expect(StatusCode::OK);
    app.advance(TimeDelta::hours(2));
    let second = create_with_key(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    assert_ne!(second["id"], first["id"]);

    app.post_empty(&format!("/uploads/{}/cancel", id(&second)))
        .await
        .expect(StatusCode::OK);
    assert_eq!(app.janitor().await.old_idempotency_keys, 0);
    app.advance(TimeDelta::hours(25));
    assert_eq!(app.janitor().await.old_idempotency_keys, 1);
}

/// A large upload over a slow connection may take days. Its key, and the key of a batch with one
/// session left, still finds the same session on the third day.
#[tokio::test]
async fn key_is_kept_longer_than_24_hours_while_its_session_is_pending() {
    let app = App::start().await;
    let body = |path: &str| json!({"path": path, "expires_in": 604_800});
    let batch = json!({"uploads": [body("/b.csv"), body("/c.csv")]});
    let ask_batch = async || {
        let request = app.request(Method::POST, "/uploads/batch");
        let request = request.header("idempotency-key", "batch");
        let answer = Reply::of(request.json(&batch)).await;
        answer.expect(StatusCode::OK)["results"].clone()
    };
    let single = create_with_key(&app, &app.key, "k", &body("/a.csv")).await;
    let single = single.expect(StatusCode::CREATED);
    let made = ask_batch().await;
    // Only the second session of the batch stays open.
    let first = format!("/uploads/{}/cancel", id(&made[0]["upload"]));
    app.post_empty(&first).await.expect(StatusCode::OK);

    app.advance(TimeDelta::days(3));
    assert_eq!(app.janitor().await.old_idempotency_keys, 0);
    let again = create_with_key(&app, &app.key, "k", &body("/a.csv")).await;
    let again = again.expect(StatusCode::OK);
    assert_eq!(again["id"], single["id"]);
    assert_ne!(again["upload"]["url"], single["upload"]["url"]);
    let again = ask_batch().await;
    for at in [0, 1] {
        assert_eq!(again[at]["status"], 200, "{again:#}");
        assert_eq!(again[at]["upload"]["id"], made[at]["upload"]["id"]);
    }

    for session in [&single, &made[1]["upload"]] {
        let cancel = format!("/uploads/{}/cancel", id(session));
        app.post_empty(&cancel).await.expect(StatusCode::OK);
    }
    assert_eq!(app.janitor().await.old_idempotency_keys, 2);
    let anew = create_with_key(&app, &app.key, "k", &body("/a.csv")).await;
    assert_ne!(anew.expect(StatusCode::CREATED)["id"], single["id"]);
}

#[tokio::test]
async fn malformed_key_is_rejected() {
    let app = App::start().await;
    for key in ["", "a b", &"x".repeat(256)] {
        let problem = create_with_key(&app, &app.key, key, &json!({"path": "/a.csv"})).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/idempotency-key",
            "{problem:#}"
        );
    }
    assert_eq!(count_uploads(&app).await, 0);
}
