//! `POST /uploads/batch` creates many sessions in one request, each with its own outcome.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;
use crate::support::setup::Setup;

mod acknowledge;
mod acknowledge_faults;
mod busy;
mod idempotency;

async fn create_batch(app: &App, entries: &[Value]) -> Reply {
    app.post("/uploads/batch", json!({"uploads": entries}))
        .await
}

/// The results of a batch that was accepted.
#[track_caller]
fn results(reply: Reply) -> Vec<Value> {
    match reply.expect(StatusCode::OK)["results"].take() {
        Value::Array(results) => results,
        other => panic!("no results: {other:#}"),
    }
}

fn statuses(results: &[Value]) -> Vec<u64> {
    let status = |result: &Value| result["status"].as_u64().expect("a status");
    results.iter().map(status).collect()
}

async fn rows(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn each_session_of_a_batch_can_be_uploaded_and_acknowledged() {
    let app = App::start().await;
    let entries: Vec<_> = (0..3)
        .map(|n| json!({"path": format!("/data/{n}.csv"), "size": 2, "metadata": {"n": n.to_string()}}))
        .collect();
    let results = results(create_batch(&app, &entries).await);
    assert_eq!(statuses(&results), [201, 201, 201], "{results:#?}");
    for (n, result) in results.iter().enumerate() {
        let session = &result["upload"];
        assert_eq!(session["path"], format!("/data/{n}.csv"), "{session:#}");
        assert_eq!(session["metadata"]["n"], n.to_string(), "{session:#}");
        app.put(session, format!("{n}\n")).await.expect_ok();
        let upload = app.acknowledge(session).await.expect(StatusCode::OK);
        assert_eq!(upload["status"], "Uploaded");
    }
}

#[tokio::test]
async fn entry_has_same_result_as_single_create() {
    let app = App::start().await;
    let body = json!({"path": "/data/a.csv", "name": "A", "expires_in": 60, "tags": {"k": "v"}});
    let single = app
        .post("/uploads", body.clone())
        .await
        .expect(StatusCode::CREATED);
    let mut results = results(create_batch(&app, &[body]).await);
    let mut entry = results.remove(0)["upload"].take();
    for own in ["id", "created_at", "updated_at", "expires_at"] {
        entry[own] = single[own].clone();
    }
    entry["upload"]["url"] = single["upload"]["url"].clone();
    entry["upload"]["expires_at"] = single["upload"]["expires_at"].clone();
    entry["upload"]["headers"]["x-amz-meta-upload-id"] = single["id"].clone();
    assert_eq!(entry, single);
}

#[tokio::test]
async fn invalid_entries_do_not_affect_other_entries() {
    let app = Setup::new()
        .set("BROKER_MAX_SIZE_BYTES", "1000")
        .start()
        .await;
    app.upload("/data/taken.csv", "bytes", json!({})).await;
    let entries = [
        json!({"path": "/data/first.csv"}),
        json!({"path": "/data/taken.csv"}),
        json!({"path": "/data/../b.csv"}),
        json!({"path": 5}),
        json!({"path": "/data/c.csv", "colour": "red"}),
        json!({"path": "/data/big.csv", "size": 1001}),
        json!({}),
        json!("/data/d.csv"),
        json!({"path": "/data/taken.csv", "overwrite": true}),
        json!({"path": "/data/last.csv"}),
    ];
    let results = results(create_batch(&app, &entries).await);
    assert_eq!(
        statuses(&results),
        [201, 409, 422, 422, 422, 422, 422, 422, 201, 201],
        "{results:#?}"
    );
    let standing = app
        .get("/uploads?path=/data/taken.csv&status=Uploaded")
        .await;
    let standing = standing.expect(StatusCode::OK);
    for (place, code, pointer) in [
        (1, "dataset-exists", None),
        (2, "invalid-request", Some("/uploads/2/path")),
        (3, "invalid-request", Some("/uploads/3/path")),
        (4, "invalid-request", Some("/uploads/4/colour")),
        (5, "size-limit-exceeded", Some("/uploads/5/size")),
        (6, "invalid-request", Some("/uploads/6/path")),
        (7, "invalid-request", Some("/uploads/7")),
    ] {
        let problem = &results[place]["problem"];
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], results[place]["status"], "{problem:#}");
        assert_eq!(problem["instance"], "/uploads/batch", "{problem:#}");
        assert!(problem["request_id"].is_string(), "{problem:#}");
        let found = problem["errors"][0]["pointer"].as_str();
        assert_eq!(found, pointer, "{problem:#}");
    }
    assert_eq!(results[1]["problem"]["upload_id"], standing[0]["id"]);
    assert_eq!(rows(&app).await, 4, "refused entries leave no row");
}

#[tokio::test]
async fn batch_is_limited_in_entries_and_bytes() {
    let app = App::start().await;
    let entries = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({"path": format!("/{n}")}))
            .collect()
    };
    for count in [0, 1001] {
        let problem = create_batch(&app, &entries(count))
            .await
            .expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/uploads", "{problem:#}");
    }
    for (body, pointer) in [
        (json!({}), "/uploads"),
        (json!({"uploads": {}}), "/uploads"),
        (json!({"uploads": [], "more": 1}), "/more"),
    ] {
        let reply = app.post("/uploads/batch", body).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
        let words = problem["detail"].as_str().unwrap_or_default();
        assert!(!words.contains("sequence"), "words of Rust: {words}");
    }
    assert_eq!(rows(&app).await, 0);

    // Above the size limit of other bodies and below that of batches; ids are in request order.
    let results = results(create_batch(&app, &entries(1000)).await);
    assert_eq!(statuses(&results), vec![201; 1000]);
    let ids: Vec<_> = results.iter().map(|result| id(&result["upload"])).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1000);
    assert_eq!(rows(&app).await, 1000);
    assert_eq!(results[999]["upload"]["path"], "/999");

    let comments = "c".repeat(900);
    let wide: Vec<_> = (0..1000)
        .map(|n| json!({"path": format!("/{n}"), "comments": comments}))
        .collect();
    let app = Setup::new()
        .set("BROKER_MAX_BATCH_BODY_BYTES", "500000")
        .start()
        .await;
    create_batch(&app, &wide)
        .await
        .expect_problem(413, "payload-too-large");
}

#[tokio::test]
async fn batch_inserts_all_rows_in_one_statement() {
    let app = App::start().await;
    let sql = app.sql().await;
    let entries: Vec<_> = (0..500).map(|n| json!({"path": format!("/{n}")})).collect();
    // A trigger that fires once for each statement counts exactly, unlike Postgres' statistics.
    sql.batch_execute(
        "CREATE TABLE statements (n bigint);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN INSERT INTO statements VALUES (1); RETURN NULL; END $$;
         CREATE TRIGGER note AFTER INSERT ON uploads FOR EACH STATEMENT EXECUTE FUNCTION note();",
    )
    .await
    .expect("a trigger");
    results(create_batch(&app, &entries).await);
    let row = sql.query_one("SELECT count(*) FROM statements", &[]).await;
    assert_eq!(row.expect("a count").get::<_, i64>(0), 1);
}

#[tokio::test]
async fn batch_needs_scope_and_stays_in_tenant_prefix() {
    use upload_broker::domain::principal::Scope;
    let app = App::start().await;
    let (_, reader) = app.issue_key("default", &[Scope::UploadsRead], None).await;
    let (_, other) = app.issue_key("other", &[Scope::UploadsWrite], None).await;
    let post = |key: &str| {
        let request = app
            .http
            .request(Method::POST, format!("{}/uploads/batch", app.url));
        let body = json!({"uploads": [{"path": "/a.csv"}, {"path": "/other/b.csv"}]});
        Reply::of(request.bearer_auth(key).json(&body))
    };
    post(&reader)
        .await
        .expect_problem(403, "insufficient-scope");
    let theirs = results(post(&other).await);
    assert_eq!(statuses(&theirs), [201, 201]);
    let bucket = &app.bucket.name;
    assert_eq!(
        theirs[0]["upload"]["s3_url"],
        format!("s3://{bucket}/other/a.csv")
    );
    // The default tenant cannot write to that prefix.
    let ours = results(post(&app.key).await);
    assert_eq!(statuses(&ours), [201, 422], "{ours:#?}");
}

#[tokio::test]
async fn batch_gets_one_503_when_postgres_is_unavailable() {
    let app = App::start().await;
    app.broker.connections.pool.close();
    let reply = create_batch(
        &app,
        &[json!({"path": "/a.csv"}), json!({"path": "/b.csv"})],
    )
    .await;
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    reply.expect_problem(503, "service-unavailable");
}

#[tokio::test]
async fn row_rejected_by_table_fails_only_its_entry() {
    let app = App::start().await;
    let sql = "ALTER TABLE uploads ADD CONSTRAINT refused CHECK (path <> '/b.csv')";
    app.sql()
        .await
        .batch_execute(sql)
        .await
        .expect("a constraint");
    let entries = ["/a.csv", "/b.csv", "/c.csv"].map(|path| json!({"path": path}));
    let results = results(create_batch(&app, &entries).await);
    assert_eq!(statuses(&results), [201, 500, 201], "{results:#?}");
    assert_eq!(results[1]["problem"]["code"], "internal-error");
    assert!(
        !results[1]["problem"].to_string().contains("refused"),
        "{results:#?}"
    );
}

#[tokio::test]
async fn batch_may_hold_two_pending_uploads_of_one_path() {
    let app = App::start().await;
    let entries = ["/a.csv", "/a.csv"].map(|path| json!({"path": path}));
    let results = results(create_batch(&app, &entries).await);
    assert_eq!(statuses(&results), [201, 201]);
    app.advance(TimeDelta::seconds(1));
    app.put(&results[1]["upload"], "second").await.expect_ok();
    app.acknowledge(&results[1]["upload"])
        .await
        .expect(StatusCode::OK);
    app.acknowledge(&results[0]["upload"])
        .await
        .expect_problem(409, "dataset-exists");
}
