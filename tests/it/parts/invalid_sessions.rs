//! Sessions without parts, ended sessions, and sessions of other tenants.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::scene::{MIN, Scene};
use crate::support::app::{Setup, id};
use crate::support::reply::Reply;

/// Sends all requests that concern parts, and the one that extends the session.
async fn part_requests(scene: &Scene, key: &str, session: &Value) -> [Reply; 3] {
    let app = &scene.app;
    let ask = |method: Method, end: &str, body: Option<Value>| {
        let url = format!("{}/uploads/{}/{end}", app.url, id(session));
        let request = app.http.request(method, url).bearer_auth(key);
        Reply::of(match body {
            Some(body) => request.json(&body),
            None => request,
        })
    };
    [
        ask(Method::POST, "parts", Some(json!({"part_numbers": [1]}))).await,
        ask(Method::GET, "parts", None).await,
        ask(Method::POST, "extend", None).await,
    ]
}

#[tokio::test]
async fn part_requests_are_rejected_for_single_put_session() {
    let scene = Scene::new().await;
    let session = scene.app.create("a.csv", json!({"size": 3})).await;
    let [sign, list, extend] = part_requests(&scene, &scene.app.key, &session).await;
    for reply in [sign, list] {
        let problem = reply.expect_problem(422, "invalid-request");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains("single PUT"), "{detail}");
        assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
    }
    extend.expect(StatusCode::OK);
    assert_eq!(session["multipart"], Value::Null, "{session:#}");
}

#[tokio::test]
async fn part_requests_need_own_tenant_and_matching_scope() {
    let scene = Scene::new().await;
    let session = scene.begin("a.bin", MIN + 1, json!({})).await;
    let before = scene.app.read(&session).await;
    let (_, stranger) = scene.app.issue_key("acme", &Scope::ALL, None).await;
    for reply in part_requests(&scene, &stranger, &session).await {
        reply.expect_problem(404, "upload-not-found");
    }
    let reads = [Scope::UploadsRead];
    let (_, reader) = scene.app.issue_key("default", &reads, None).await;
    let [sign, list, extend] = part_requests(&scene, &reader, &session).await;
    sign.expect_problem(403, "insufficient-scope");
    extend.expect_problem(403, "insufficient-scope");
    list.expect(StatusCode::OK);
    let writes = [Scope::UploadsWrite];
    let (_, writer) = scene.app.issue_key("default", &writes, None).await;
    let [sign, list, _] = part_requests(&scene, &writer, &session).await;
    sign.expect(StatusCode::OK);
    list.expect_problem(403, "insufficient-scope");
    let now = scene.app.read(&session).await;
    assert_eq!(now["updated_at"], before["updated_at"]);
    let unknown = json!({"id": uuid::Uuid::now_v7().to_string()});
    for reply in part_requests(&scene, &scene.app.key, &unknown).await {
        reply.expect_problem(404, "upload-not-found");
    }
}

#[tokio::test]
async fn part_requests_are_rejected_for_ended_sessions() {
    let setup = Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", 0);
    let scene = Scene::with(setup).await;
    let uploaded = scene.sent("uploaded.bin", "abc", json!({})).await;
    scene
        .app
        .acknowledge(&uploaded)
        .await
        .expect(StatusCode::OK);
    let cancelled = scene.sent("cancelled.bin", "abc", json!({})).await;
    let path = format!("/uploads/{}/cancel", id(&cancelled));
    scene.app.post_empty(&path).await.expect(StatusCode::OK);
    let failed = scene.sent("failed.bin", "abc", json!({})).await;
    let lie = json!({"etag": "\"0123456789abcdef0123456789abcdef-1\""});
    let reply = scene.acknowledge(&failed, lie).await;
    reply.expect_problem(422, "object-mismatch");
    let expired = scene
        .begin("expired.bin", 3, json!({"expires_in": 60}))
        .await;
    scene.app.advance(chrono::TimeDelta::seconds(61));
    scene.app.janitor().await;
    for (session, status) in [
        (&uploaded, "Uploaded"),
        (&cancelled, "Cancelled"),
        (&failed, "Error"),
        (&expired, "Expired"),
    ] {
        let before = scene.app.read(session).await;
        for reply in part_requests(&scene, &scene.app.key, session).await {
            let problem = reply.expect_problem(409, "invalid-status");
            assert_eq!(problem["upload_status"], status, "{problem:#}");
            assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
        }
        assert_eq!(scene.app.read(session).await, before);
    }
    assert_eq!(scene.open().await, [""; 0], "parts are left at S3");
}
