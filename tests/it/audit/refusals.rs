//! Refused requests are recorded with the caller, the operation and a count.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{count, rows_of_action};
use crate::support::app::{App, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

#[tokio::test]
async fn missing_scope_and_access_to_other_tenant_are_recorded() {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let theirs = app
        .http
        .post(format!("{}/uploads", app.url))
        .bearer_auth(&acme);
    let theirs = Reply::of(theirs.json(&json!({"path": "/secret"}))).await;
    let theirs = theirs.expect(StatusCode::CREATED);
    let (reader, key) = app.issue_key("default", &[Scope::UploadsRead], None).await;

    let lacking = app.http.get(format!("{}/datasets/a.csv", app.url));
    Reply::of(lacking.bearer_auth(&key))
        .await
        .expect_problem(403, "insufficient-scope");
    app.get(&format!("/uploads/{}", id(&theirs)))
        .await
        .expect_problem(404, "upload-not-found");
    app.get("/datasets/acme/secret/action/download")
        .await
        .expect_problem(404, "dataset-not-found");
    app.get("/datasets/a%2F..%2Fsecret")
        .await
        .expect_problem(422, "invalid-request");
    app.post("/uploads", json!({"path": "acme/secret"}))
        .await
        .expect_problem(422, "invalid-request");

    let mut rows = rows_of_action(&app, "request.refused", 5).await;
    rows.sort_by_key(|row| row["operation"].to_string() + &row["path"].to_string());
    let member = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let found: Vec<_> = (rows.iter())
        .map(|row| ["operation", "code", "path"].map(|name| member(row, name)))
        .collect();
    let expected = [
        ["GET /datasets/{path}", "insufficient-scope", "/a.csv"],
        ["GET /datasets/{path}", "invalid-request", "a/../secret"],
        [
            "GET /datasets/{path}/action/download",
            "dataset-not-found",
            "/acme/secret",
        ],
        ["GET /uploads/{id}", "upload-not-found", ""],
        ["POST /uploads", "invalid-request", "acme/secret"],
    ];
    let expected: Vec<_> = (expected.iter())
        .map(|row| row.map(|text| (!text.is_empty()).then(|| text.to_owned())))
        .collect();
    assert_eq!(found, expected, "{rows:#?}");
    for row in &rows {
        assert_eq!(row["action"], "request.refused", "{row:#}");
        assert_eq!(row["address"], "127.0.0.1", "{row:#}");
    }
    assert_eq!(rows[0]["actor"], format!("key:{reader}"), "{rows:#?}");
    assert_eq!(rows[3]["upload_id"], theirs["id"], "{rows:#?}");
}

/// Refusals of unknown callers belong to no tenant: operators see them, tenants do not.
#[tokio::test]
async fn unauthenticated_refusals_are_aggregated_and_hidden_from_tenants() {
    let app = App::start().await;
    for n in 0..50 {
        for (method, path) in [
            (Method::GET, format!("/datasets/{n}")),
            (Method::DELETE, format!("/uploads/{}", uuid::Uuid::now_v7())),
        ] {
            let request = app.http.request(method, format!("{}{path}", app.url));
            Reply::of(request.bearer_auth(format!("ubk_{n:043}")))
                .await
                .expect_problem(401, "unauthenticated");
        }
    }
    let all = "(SELECT sum(count) AS total FROM audit WHERE action = 'request.refused') AS sums \
         WHERE total = 100";
    eventually("every refusal is counted", async || {
        count(&app, all).await == 1
    })
    .await;
    let refused = count(&app, "audit WHERE action = 'request.refused'").await;
    // One row for each operation and half second.
    assert!(refused < 60, "{refused}");
    let anonymous = "audit WHERE actor = 'anonymous' AND tenant IS NULL AND address = '127.0.0.1' \
         AND code = 'unauthenticated' AND request_id IS NOT NULL \
         AND operation IN ('GET /datasets/{path}', 'DELETE /uploads/{id}')";
    assert_eq!(count(&app, anonymous).await, refused);
    rows_of_action(&app, "request.refused", 0).await;
}

/// A path that matches no route may hold anything, also a secret, so it is not recorded.
#[tokio::test]
async fn path_of_unknown_route_is_not_recorded() {
    let app = App::start().await;
    let request = app.http.get(format!("{}/uploads/a/b/c/hidden", app.url));
    Reply::of(request)
        .await
        .expect_problem(401, "unauthenticated");
    eventually("the refusal is recorded", async || {
        count(&app, "audit WHERE action = 'request.refused'").await == 1
    })
    .await;
    assert_eq!(
        count(&app, "audit WHERE audit::text LIKE '%hidden%'").await,
        0
    );
}
