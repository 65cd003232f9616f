//! What the broker does where a store lacks an ability.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;

async fn without(name: &str) -> App {
    Setup::new().set(name, "off").start().await
}

#[tokio::test]
async fn create_rejects_path_of_foreign_object_without_put_if_none_match() {
    let app = without("BROKER_S3_PUT_IF_NONE_MATCH").await;
    app.bucket.put("there.csv", "another program's").await;
    let refused = app.post("/uploads", json!({"path": "there.csv"})).await;
    let problem = refused.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], json!(null), "{problem:#}");
    let overwrite = json!({"path": "there.csv", "overwrite": true});
    let overwrite = app.post("/uploads", overwrite).await;
    overwrite.expect(StatusCode::CREATED);

    let stored = app.upload("ours.csv", "bytes", json!({})).await;
    let batch =
        json!({"uploads": [{"path": "ours.csv"}, {"path": "there.csv"}, {"path": "new.csv"}]});
    let batch = app
        .post("/uploads/batch", batch)
        .await
        .expect(StatusCode::OK);
    let results = batch["results"].as_array().expect("results");
    let statuses: Vec<_> = results.iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [409, 409, 201], "{batch:#}");
    let named = &results[0]["problem"]["upload_id"];
    assert_eq!(named, &stored["id"], "{batch:#}");
}

#[tokio::test]
async fn repeated_create_returns_same_session_after_its_object_arrived() {
    let app = without("BROKER_S3_PUT_IF_NONE_MATCH").await;
    let create = |path, body: serde_json::Value| {
        let request = app.request(Method::POST, path);
        Reply::of(request.header("idempotency-key", "once").json(&body))
    };
    let body = json!({"path": "a.csv"});
    let session = create("/uploads", body.clone()).await;
    let session = session.expect(StatusCode::CREATED);
    app.put(&session, "bytes").await.expect_ok();
    let again = create("/uploads", body).await.expect(StatusCode::OK);
    assert_eq!(id(&again), id(&session));

    let app = without("BROKER_S3_PUT_IF_NONE_MATCH").await;
    let create = |body: serde_json::Value| {
        let request = app.request(Method::POST, "/uploads/batch");
        Reply::of(request.header("idempotency-key", "once").json(&body))
    };
    let body = json!({"uploads": [{"path": "a.csv"}]});
    let first = create(body.clone()).await.expect(StatusCode::OK);
    let session = &first["results"][0]["upload"];
    app.put(session, "bytes").await.expect_ok();
    let again = create(body).await.expect(StatusCode::OK);
    assert_eq!(again["results"][0]["status"], 200, "{again:#}");
    assert_eq!(id(&again["results"][0]["upload"]), id(session));
}

#[tokio::test]
async fn if_match_without_store_support_is_rejected_except_for_multipart() {
    let app = without("BROKER_S3_PUT_IF_MATCH").await;
    let stored = app.upload("a.csv", "one", json!({})).await;
    let etag = &stored["object"]["etag"];
    let body = json!({"path": "a.csv", "if_match": etag});
    let refused = app.post("/uploads", body.clone()).await;
    let problem = refused.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/if_match", "{problem:#}");
    let batch = json!({"uploads": [body]});
    let batch = app
        .post("/uploads/batch", batch)
        .await
        .expect(StatusCode::OK);
    assert_eq!(batch["results"][0]["status"], 422, "{batch:#}");
    let in_parts = json!({"if_match": etag, "multipart": true, "size": 3});
    app.create("a.csv", in_parts).await;
}

/// The session was created while the store was assumed to support it.
#[tokio::test]
async fn refresh_is_rejected_rather_than_dropping_if_match() {
    let database = crate::support::database::Database::new();
    let url = database.url().to_owned();
    let app = Setup::new().database(database).start().await;
    let stored = app.upload("a.csv", "one", json!({})).await;
    let etag = &stored["object"]["etag"];
    let session = app.create("a.csv", json!({"if_match": etag})).await;
    let later = Setup::new()
        .set("DATABASE_URL", url)
        .set("BROKER_S3_PUT_IF_MATCH", "off")
        .start()
        .await;
    let path = format!("{}/uploads/{}?refresh_urls=true", later.url, id(&session));
    let reply = Reply::of(later.http.get(path).bearer_auth(&app.key)).await;
    reply.expect_problem(422, "invalid-request");
}

#[tokio::test]
async fn checksum_gives_level_size_where_store_does_not_check_it() {
    let app = without("BROKER_S3_CHECKSUMS").await;
    let value = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";
    let declared = json!({"size": 5, "checksum": {"algorithm": "SHA256", "value": value}});
    let proven = app.upload("a.csv", "bytes", declared).await;
    assert_eq!(proven["verification"]["level"], "size", "{proven:#}");
    assert_eq!(proven["object"]["checksum"], json!(null), "{proven:#}");
    let dataset = app.get("/datasets/a.csv").await.expect(StatusCode::OK);
    assert_eq!(dataset["checksum"], json!(null), "{dataset:#}");
}
