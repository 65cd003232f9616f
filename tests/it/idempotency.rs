//! `Idempotency-Key`: a client that asks again, because an answer was lost, makes nothing new.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::support::app::{App, id};
use crate::support::reply::Reply;

async fn ask(app: &App, api_key: &str, key: &str, body: &Value) -> Reply {
    let request = app
        .http
        .request(Method::POST, format!("{}/uploads", app.url));
    let request = request.bearer_auth(api_key).header("idempotency-key", key);
    Reply::of(request.json(body)).await
}

async fn rows(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn the_same_request_gets_the_same_upload_with_a_fresh_url() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "size": 3, "expires_in": 60});
    let first = ask(&app, &app.key, "k-1", &body)
        .await
        .expect(StatusCode::CREATED);
    app.advance(TimeDelta::seconds(50));
    let reply = ask(&app, &app.key, "k-1", &body).await;
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
    assert_eq!(rows(&app).await, 1);

    app.put(&again, "abc").await.expect_ok();
    app.acknowledge(&again).await.expect(StatusCode::OK);
    let done = ask(&app, &app.key, "k-1", &body)
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (&done["status"], &done["upload"]),
        (&json!("Uploaded"), &Value::Null)
    );
}

#[tokio::test]
async fn another_body_is_refused_and_another_tenant_is_somebody_else() {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let body = json!({"path": "/a.csv"});
    let first = ask(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    let other = json!({"path": "/a.csv", "size": 1});
    let problem = ask(&app, &app.key, "k", &other).await;
    let problem = problem.expect_problem(422, "idempotency-key-reused");
    assert_eq!(problem["upload_id"], first["id"], "{problem:#}");
    assert_eq!(rows(&app).await, 1);
    let theirs = ask(&app, &acme, "k", &other)
        .await
        .expect(StatusCode::CREATED);
    assert_ne!(theirs["id"], first["id"]);
}

#[tokio::test]
async fn fifty_at_once_make_one_upload() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "metadata": {"b": "2", "a": "1"}});
    let replies = (0..50).map(|_| ask(&app, &app.key, "one", &body));
    let replies = futures::future::join_all(replies).await;
    let made = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED)
        .count();
    let ids: BTreeSet<_> = replies
        .into_iter()
        .map(|reply| id(&reply.expect_ok().json()).to_owned())
        .collect();
    assert_eq!((made, ids.len(), rows(&app).await), (1, 1, 1), "{ids:?}");
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let app = App::start().await;
    let standing = app.upload("/a.csv", "abc", json!({})).await;
    let body = json!({"path": "/a.csv"});
    ask(&app, &app.key, "k", &body)
        .await
        .expect_problem(409, "dataset-exists");
    app.delete(&format!("/uploads/{}", id(&standing)))
        .await
        .expect_ok();
    ask(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    let app = App::start().await;
    let body = json!({"path": "/a.csv", "expires_in": 604_800});
    let first = ask(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    app.advance(TimeDelta::hours(23));
    let same = ask(&app, &app.key, "k", &body).await.expect(StatusCode::OK);
    assert_eq!(same["id"], first["id"]);
    let cancel = format!("/uploads/{}/cancel", id(&first));
    app.act(&cancel).await.expect(StatusCode::OK);
    app.advance(TimeDelta::hours(2));
    let second = ask(&app, &app.key, "k", &body)
        .await
        .expect(StatusCode::CREATED);
    assert_ne!(second["id"], first["id"]);

    app.act(&format!("/uploads/{}/cancel", id(&second)))
        .await
        .expect(StatusCode::OK);
    assert_eq!(app.janitor().await.forgotten, 0);
    app.advance(TimeDelta::hours(25));
    assert_eq!(app.janitor().await.forgotten, 1);
}

/// A large upload over a slow line: on its third day it is found again, the batch's too.
#[tokio::test]
async fn a_key_is_kept_while_its_session_is_pending() {
    let app = App::start().await;
    let body = |path: &str| json!({"path": path, "expires_in": 604_800});
    let batch = json!({"uploads": [body("/b.csv"), body("/c.csv")]});
    let ask_batch = async || {
        let request = app.request(Method::POST, "/uploads/batch");
        let request = request.header("idempotency-key", "batch");
        let answer = Reply::of(request.json(&batch)).await;
        answer.expect(StatusCode::OK)["results"].clone()
    };
    let single = ask(&app, &app.key, "k", &body("/a.csv")).await;
    let single = single.expect(StatusCode::CREATED);
    let made = ask_batch().await;
    // Of the batch the second one is left.
    let first = format!("/uploads/{}/cancel", id(&made[0]["upload"]));
    app.act(&first).await.expect(StatusCode::OK);

    app.advance(TimeDelta::days(3));
    assert_eq!(app.janitor().await.forgotten, 0);
    let again = ask(&app, &app.key, "k", &body("/a.csv")).await;
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
        app.act(&cancel).await.expect(StatusCode::OK);
    }
    assert_eq!(app.janitor().await.forgotten, 2);
    let anew = ask(&app, &app.key, "k", &body("/a.csv")).await;
    assert_ne!(anew.expect(StatusCode::CREATED)["id"], single["id"]);
}

#[tokio::test]
async fn a_key_has_a_shape() {
    let app = App::start().await;
    for key in ["", "a b", &"x".repeat(256)] {
        let problem = ask(&app, &app.key, key, &json!({"path": "/a.csv"})).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/idempotency-key",
            "{problem:#}"
        );
    }
    assert_eq!(rows(&app).await, 0);
}
