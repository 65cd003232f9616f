//! Recorded actions: each row says who acted, from which address, and when the issued URL or
//! session expires.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{action_and, all, count, rows, rows_of_action};
use crate::support::app::{App, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

/// Sends a request with this request id, by which its row is found.
pub(super) async fn send_with_request_id(
    app: &App,
    name: &str,
    method: Method,
    path: &str,
    body: Value,
) -> Reply {
    let mut request = app.request(method, path).header("x-request-id", name);
    if !body.is_null() {
        request = request.json(&body);
    }
    Reply::of(request).await.expect_ok()
}

#[tokio::test]
async fn every_action_on_an_upload_is_recorded_with_caller_and_expiry() {
    let mut app = App::start().await;
    let (key, secret) = app.issue_key("default", &Scope::ALL, None).await;
    app.key = secret;
    let body = json!({"path": "/data/a.csv"});
    let session = send_with_request_id(&app, "create", Method::POST, "/uploads", body).await;
    let session = session.json();
    let path = format!("/uploads/{}", id(&session));
    let refresh = format!("{path}?refresh_urls=true");
    let fresh = send_with_request_id(&app, "refresh", Method::GET, &refresh, Value::Null).await;
    let extend = format!("{path}/extend");
    let longer = json!({"expires_in": 7200});
    let extended = send_with_request_id(&app, "extend", Method::POST, &extend, longer).await;
    app.put(&session, "id\n1\n").await.expect_ok();
    for name in ["acknowledge", "again"] {
        let acknowledge = format!("{path}/acknowledge");
        send_with_request_id(&app, name, Method::POST, &acknowledge, Value::Null).await;
    }
    let download = "/datasets/data/a.csv/action/download?redirect=false";
    let url = send_with_request_id(&app, "download", Method::GET, download, Value::Null).await;
    let detail = "/datasets/data/a.csv";
    send_with_request_id(&app, "detail", Method::GET, detail, Value::Null).await;
    send_with_request_id(&app, "delete", Method::DELETE, &path, Value::Null).await;

    let rows = rows(&app, 8).await;
    let expected = [
        ("upload.created", "create"),
        ("urls.signed", "refresh"),
        ("upload.extended", "extend"),
        ("upload.acknowledged", "acknowledge"),
        ("upload.acknowledged", "again"),
        ("dataset.downloaded", "download"),
        ("dataset.downloaded", "detail"),
        ("upload.deleted", "delete"),
    ];
    let expected = expected.map(|(action, request)| (action, Some(request)));
    assert_eq!(action_and(&rows, "request_id"), expected, "{rows:#?}");
    for row in &rows {
        assert_eq!(row["actor"], format!("key:{key}"), "{row:#}");
        assert_eq!(row["tenant"], "default", "{row:#}");
        assert_eq!(row["address"], "127.0.0.1", "{row:#}");
        assert_eq!(row["path"], "/data/a.csv", "{row:#}");
        assert_eq!(row["time"], session["created_at"], "{row:#}");
        assert_eq!(row["count"], 1, "{row:#}");
        let is_download = row["request_id"] == "download";
        assert!(is_download || row["upload_id"] == session["id"], "{row:#}");
    }
    let ends: Vec<_> = rows.iter().map(|row| &row["expires_at"]).collect();
    assert_eq!(ends[0], &session["upload"]["expires_at"], "{rows:#?}");
    assert_eq!(ends[1], &fresh.json()["upload"]["expires_at"], "{rows:#?}");
    assert_eq!(ends[2], &extended.json()["expires_at"], "{rows:#?}");
    assert_eq!(ends[5], &url.json()["expires_at"], "{rows:#?}");
    assert!(ends[6].is_string(), "{rows:#?}");
    for place in [3, 4, 7] {
        assert_eq!(ends[place], &Value::Null, "{rows:#?}");
    }
}

#[tokio::test]
async fn parts_batches_retries_and_actions_by_path_are_recorded() {
    let app = App::start().await;
    let large = json!({"path": "/large", "size": 600_000_000, "part_size": 5 << 20});
    let session = app.post("/uploads", large).await;
    let session = session.expect(StatusCode::CREATED);
    let parts = format!("/uploads/{}/parts", id(&session));
    let signed = app.post(&parts, json!({"part_numbers": [7]})).await;
    let signed = signed.expect(StatusCode::OK);
    app.post_empty(&format!("/uploads/{}/cancel", id(&session)))
        .await
        .expect(StatusCode::OK);
    let batch =
        json!({"uploads": [{"path": "/one"}, {"path": 1}, {"path": "/two"}, {"path": "/a/../b"}]});
    for _ in 0..2 {
        let request = app.request(Method::POST, "/uploads/batch");
        let request = request.header("idempotency-key", "batch").json(&batch);
        Reply::of(request).await.expect(StatusCode::OK);
    }
    let by_path = app.create("/by/path", json!({})).await;
    app.put(&by_path, "x").await.expect_ok();
    app.post_empty("/datasets/by/path/action/acknowledge")
        .await
        .expect(StatusCode::OK);
    app.delete("/datasets/by/path").await.expect_ok();

    let rows = rows(&app, 10).await;
    let expected = [
        ("upload.created", "/large"),
        ("parts.signed", "/large"),
        ("upload.cancelled", "/large"),
        ("upload.created", "/one"),
        ("upload.created", "/two"),
        ("urls.signed", "/one"),
        ("urls.signed", "/two"),
        ("upload.created", "/by/path"),
        ("upload.acknowledged", "/by/path"),
        ("upload.deleted", "/by/path"),
    ];
    let expected: Vec<_> = (expected.into_iter())
        .map(|(action, path)| (action, Some(path)))
        .collect();
    assert_eq!(action_and(&rows, "path"), expected, "{rows:#?}");
    let part = rows.iter().find(|row| row["action"] == "parts.signed");
    let part = part.expect("the parts");
    assert_eq!(part["upload_id"], session["id"], "{part:#}");
    assert_eq!(part["expires_at"], signed["parts"][0]["expires_at"]);
    // The refused path of the batch, which leads out of the prefix, once for each request.
    for refused in rows_of_action(&app, "request.refused", 2).await {
        assert_eq!(refused["path"], "/a/../b", "{refused:#}");
    }
}

/// A read that issues no URL leaves no row, and neither does a request that was rejected.
#[tokio::test]
async fn reads_that_issue_no_url_and_rejected_requests_are_not_recorded() {
    let app = App::start().await;
    let session = app.upload("/a", "x", json!({})).await;
    for path in [
        "/uploads".to_owned(),
        format!("/uploads/{}", id(&session)),
        format!("/uploads/{}?refresh_urls=true", id(&session)),
        format!("/uploads/{}/events", id(&session)),
        "/datasets?include=upload".to_owned(),
        "/audit".to_owned(),
    ] {
        app.get(&path).await.expect_ok();
    }
    app.post("/uploads", json!({"path": "/a"}))
        .await
        .expect_problem(409, "dataset-exists");
    app.post("/uploads", json!({"path": "/b", "size": -1}))
        .await
        .expect_problem(422, "invalid-request");
    app.get("/datasets/none")
        .await
        .expect_problem(404, "dataset-not-found");
    app.create("/last", json!({})).await;
    let rows = rows(&app, 3).await;
    let paths = ["/a", "/a", "/last"].map(Some);
    assert!(
        action_and(&rows, "path").iter().map(|row| row.1).eq(paths),
        "{rows:#?}"
    );
}

/// A credential that was pasted where a path belongs.
#[tokio::test]
async fn credentials_in_path_and_request_id_are_masked() {
    let app = App::start().await;
    let token = format!("ubt_{}.c2ln", "eyJ2IjoxfQ".repeat(4));
    let path = format!("/in/{token}/{}.csv", app.key);
    let body = json!({"path": path, "overwrite": true});
    let request = app.request(Method::POST, "/uploads").json(&body);
    let request = request.header("x-request-id", &app.key);
    Reply::of(request).await.expect(StatusCode::CREATED);
    let made = rows(&app, 1).await;
    assert_eq!(made[0]["path"], "/in/***/***", "{made:#?}");
    let client = app.sql().await;
    let all = "SELECT string_agg(audit::text, E'\\n') FROM audit";
    let text: String = client.query_one(all, &[]).await.expect("rows").get(0);
    assert!(!text.contains("ubk_") && !text.contains("ubt_"), "{text}");
}

/// Rows hold no key, no URL and no signature, wherever the request had them.
#[tokio::test]
async fn rows_hold_no_key_url_or_signature() {
    let app = App::start().await;
    let session = app.create("/a", json!({})).await;
    app.put(&session, "x").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK);
    let download = app.get("/datasets/a/action/download").await;
    let url = download.header("location").expect("a URL").to_owned();
    let wrong = format!("{}x", app.key);
    let stranger = app
        .http
        .get(format!("{}/uploads?access_token={wrong}", app.url));
    Reply::of(stranger.bearer_auth(&wrong))
        .await
        .expect_problem(401, "unauthenticated");
    rows(&app, 3).await;
    eventually("the refusal is recorded", async || {
        count(&app, "audit WHERE code = 'unauthenticated'").await == 1
    })
    .await;
    let client = app.sql().await;
    let all = "SELECT string_agg(audit::text, E'\\n') FROM audit";
    let text: String = client.query_one(all, &[]).await.expect("rows").get(0);
    for secret in [&*app.key, "ubk_", "X-Amz-", "http", &url, "access_token"] {
        assert!(!text.contains(secret), "{secret:?} in {text}");
    }
}

#[tokio::test]
async fn creation_and_revocation_of_keys_is_recorded_for_their_tenant() {
    let app = App::start().await;
    let end = app.clock.now() + chrono::TimeDelta::days(1);
    let (key, acme) = app.issue_key("acme", &[Scope::Admin], Some(end)).await;
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    app.advance(chrono::TimeDelta::seconds(1));
    let (second, _) = app.issue_key("acme", &[Scope::UploadsRead], None).await;
    app.advance(chrono::TimeDelta::seconds(1));
    let revoke = upload_broker::usecases::identity::keys::revoke;
    for first in [true, false] {
        let revoked = revoke(&mut connection, &app.clock, second).await;
        assert_eq!(revoked.expect("an answer"), first);
    }
    let request = app.http.get(format!("{}/audit", app.url));
    let rows = Reply::of(request.bearer_auth(acme)).await;
    let rows = rows.expect(StatusCode::OK);
    let rows = rows.as_array().expect("an array");
    let (key, second) = (key.to_string(), second.to_string());
    let expected = [
        ("key.revoked", Some(&*second)),
        ("key.created", Some(&*second)),
        ("key.created", Some(&*key)),
        ("tenant.created", Some("acme")),
    ];
    assert_eq!(action_and(rows, "subject"), expected, "{rows:#?}");
    for row in rows {
        assert_eq!(row["actor"], "operator", "{row:#}");
        assert_eq!(row["tenant"], "acme", "{row:#}");
    }
    let stamp = upload_broker::domain::event::timestamp(end);
    assert_eq!(rows[2]["expires_at"], stamp, "{rows:#?}");
    assert_eq!(all(&app).await.len(), 1, "the default tenant has its own");
}

/// A key that could not be created leaves no row.
#[tokio::test]
async fn failed_key_creation_is_not_recorded() {
    let app = App::start().await;
    let before = count(&app, "audit").await;
    let nested = "INSERT INTO tenants (name, key_prefix) VALUES ('teams', 'acme/teams/')";
    app.sql()
        .await
        .batch_execute(nested)
        .await
        .expect("a tenant");
    let mut connection = upload_broker::store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let scopes = [Scope::Admin];
    let issued = upload_broker::usecases::identity::keys::issue(
        &mut connection,
        &app.clock,
        "acme",
        &scopes,
        None,
    );
    issued.await.expect_err("its prefix contains another");
    assert_eq!(count(&app, "audit").await, before);
}
