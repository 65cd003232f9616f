//! What counts against a quota, and what gives it back.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::quota::bytes_of;
use upload_broker::domain::status::Status;

use super::scene::{Scene, quota};
use crate::support::app::{App, id};
use crate::support::reply::Reply;

#[tokio::test]
async fn every_transition_adjusts_the_usage_by_the_counts_of_its_states() {
    let scene = Scene::new(quota(Some(1_000), Some(10))).await;
    assert_eq!(scene.used().await, (0, 0));
    let first = scene.create("/a.csv", json!({"size": 10})).await;
    assert_eq!(scene.used().await, (10, 1));
    scene.finish(&first, "0123456789").await;
    assert_eq!(scene.used().await, (10, 0));
    // A second acknowledge gives back nothing.
    scene.acme.acknowledge(&first).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (10, 0));

    // A new version counts beside the old one until it replaces it.
    let next = scene
        .create("/a.csv", json!({"size": 4, "overwrite": true}))
        .await;
    assert_eq!(scene.used().await, (14, 1));
    scene.finish(&next, "0123").await;
    assert_eq!(scene.used().await, (4, 0));

    let cancelled = scene.create("/b.csv", json!({"size": 100})).await;
    assert_eq!(scene.used().await, (104, 1));
    scene.cancel(&cancelled).await;
    assert_eq!(scene.used().await, (4, 0));

    // A size that is not declared counts when it is known.
    let open = scene.create("/c.csv", json!({})).await;
    assert_eq!(scene.used().await, (4, 1));
    scene.finish(&open, "sixsix").await;
    assert_eq!(scene.used().await, (10, 0));

    scene.delete("/datasets/a.csv").await;
    assert_eq!(scene.used().await, (6, 0));
    scene.delete(&format!("/uploads/{}", id(&open))).await;
    assert_eq!(scene.used().await, (0, 0));
}

#[tokio::test]
async fn usage_route_reports_the_counts_and_quotas_of_the_callers_tenant() {
    let scene = Scene::new(quota(Some(1_000), None)).await;
    scene.create("/a.csv", json!({"size": 10})).await;
    let caller = scene.acme.request(Method::GET, "/usage");
    let usage = Reply::of(caller).await.expect(StatusCode::OK);
    assert_eq!(
        usage,
        json!({
            "tenant": "acme", "bytes": 10, "open_uploads": 1,
            "quota_bytes": 1_000, "quota_open_uploads": null,
        })
    );
}

#[tokio::test]
async fn failed_and_expired_uploads_release_quota_and_late_proof_counts_again() {
    let scene = Scene::new(quota(Some(1_000), None)).await;
    let wrong = scene.create("/wrong.csv", json!({"size": 8})).await;
    let (app, bucket) = (&scene.app, &scene.app.bucket);
    bucket
        .put_as(id(&wrong), "acme/wrong.csv", "not eight", "text/csv")
        .await;
    scene
        .acme
        .acknowledge(&wrong)
        .await
        .expect_problem(422, "object-mismatch");
    assert_eq!(scene.used().await, (9, 0), "it stands there");
    scene.delete(&format!("/uploads/{}", id(&wrong))).await;
    assert_eq!(scene.used().await, (0, 0));

    let late = scene.create("/late.csv", json!({"size": 4})).await;
    app.advance(TimeDelta::hours(1));
    assert_eq!(app.janitor().await.expired, 1);
    assert_eq!(scene.used().await, (0, 0));
    bucket
        .put_as(id(&late), "acme/late.csv", "late", "text/csv")
        .await;
    scene.acme.acknowledge(&late).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (4, 0));
}

#[tokio::test]
async fn create_beyond_a_quota_is_rejected_with_limit_and_usage() {
    let scene = Scene::new(quota(Some(10), Some(2))).await;
    scene.create("/a.csv", json!({"size": 7})).await;
    let reply = scene.ask("/b.csv", json!({"size": 4})).await;
    let problem = reply.expect_problem(409, "quota-exceeded");
    let expected = json!({"name": "bytes", "limit": 10, "in_use": 7, "asked": 4});
    assert_eq!(problem["quota"], expected, "{problem:#}");
    assert_eq!(scene.used().await, (7, 1), "it took nothing");

    // Exactly as many bytes as are left.
    scene.create("/b.csv", json!({"size": 3})).await;
    let reply = scene.ask("/c.csv", json!({"size": 0})).await;
    let problem = reply.expect_problem(409, "quota-exceeded");
    let expected = json!({"name": "open-uploads", "limit": 2, "in_use": 2, "asked": 1});
    assert_eq!(problem["quota"], expected, "{problem:#}");

    // Other tenants are not affected.
    scene.app.create("/d.csv", json!({"size": 1_000})).await;
}

#[tokio::test]
async fn create_without_size_is_rejected_when_the_quota_is_exceeded() {
    let scene = Scene::new(quota(Some(5), None)).await;
    // The size was unknown in advance, so the actual size counts.
    scene.upload("/a.csv", "more than five", json!({})).await;
    assert_eq!(scene.used().await, (14, 0));
    assert_eq!(scene.no_room("/b.csv", json!({})).await, "bytes");
    assert_eq!(scene.no_room("/b.csv", json!({"size": 1})).await, "bytes");
    scene.delete("/datasets/a.csv").await;
    scene.create("/b.csv", json!({})).await;
}

#[tokio::test]
async fn existing_dataset_is_reported_before_a_full_quota() {
    let scene = Scene::new(quota(None, Some(1))).await;
    scene.upload("/a.csv", "x", json!({})).await;
    scene.create("/b.csv", json!({})).await;
    let reply = scene.ask("/a.csv", json!({})).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.no_room("/c.csv", json!({})).await, "open-uploads");
}

#[tokio::test]
async fn create_beyond_a_quota_starts_no_multipart_upload() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let more = json!({"size": 20_000_000, "multipart": true});
    assert_eq!(scene.no_room("/a.bin", more).await, "bytes");
    assert_eq!(scene.app.bucket.open_uploads().await, []);
}

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().expect("results");
    let status = |result: &Value| result["status"].as_u64().expect("a status");
    results.iter().map(status).collect()
}

#[tokio::test]
async fn batch_creates_the_entries_that_fit_into_the_quota() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let sizes = [6, 5, 4, 1];
    let entry = |(at, size)| json!({"path": format!("/{at}.csv"), "size": size});
    let uploads: Vec<Value> = sizes.into_iter().enumerate().map(entry).collect();
    let body = json!({"uploads": uploads});
    let answer = scene.post("/uploads/batch", body).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(statuses(&answer), [201, 409, 201, 409], "{answer:#}");
    let problem = &answer["results"][1]["problem"];
    assert_eq!(problem["code"], "quota-exceeded", "{answer:#}");
    assert_eq!(problem["quota"]["in_use"], 6, "{answer:#}");
    assert_eq!(scene.used().await, (10, 2));
}

#[tokio::test]
async fn repeated_requests_do_not_count_twice() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let again = async |path: &str, body: Value| {
        let request = scene.acme.request(Method::POST, path);
        Reply::of(request.header("idempotency-key", path).json(&body)).await
    };
    let one = json!({"path": "/one.csv", "size": 4});
    let made = again("/uploads", one.clone()).await;
    let made = made.expect(StatusCode::CREATED);
    assert_eq!(scene.used().await, (4, 1));
    let before = again("/uploads", one).await.expect(StatusCode::OK);
    assert_eq!(before["id"], made["id"]);
    assert_eq!(scene.used().await, (4, 1));

    let batch =
        json!({"uploads": [{"path": "/two.csv", "size": 5}, {"path": "/three.csv", "size": 3}]});
    let answer = again("/uploads/batch", batch.clone()).await;
    assert_eq!(statuses(&answer.expect(StatusCode::OK)), [201, 409]);
    let answer = again("/uploads/batch", batch.clone()).await;
    assert_eq!(statuses(&answer.expect(StatusCode::OK)), [200, 409]);
    assert_eq!(scene.used().await, (9, 2));
    // Now there is room, so the rejected entry is tried again.
    scene.cancel(&made).await;
    let answer = again("/uploads/batch", batch).await;
    assert_eq!(statuses(&answer.expect(StatusCode::OK)), [200, 201]);
    assert_eq!(scene.used().await, (8, 2));
}

/// A rejected request does not use up its key.
#[tokio::test]
async fn key_of_create_beyond_a_quota_is_free_again() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let taken = scene.create("/taken.csv", json!({"size": 10})).await;
    let ask = async || {
        let request = scene.acme.request(Method::POST, "/uploads");
        let body = json!({"path": "/a.csv", "size": 1});
        Reply::of(request.header("idempotency-key", "k").json(&body)).await
    };
    ask().await.expect_problem(409, "quota-exceeded");
    scene.cancel(&taken).await;
    ask().await.expect(StatusCode::CREATED);
    assert_eq!(scene.used().await, (1, 1));
}

/// The table in the code and the one in the database agree.
#[tokio::test]
async fn quota_bytes_in_code_and_database_agree() {
    let app = App::start().await;
    let sql = app.sql().await;
    for status in Status::ALL {
        let three = |number: u8| [1, 2, 4].map(|bit| (number & bit > 0).then_some(bit));
        for [size, object, unproven] in (0..8).map(three) {
            let row = sql
                .query_one(
                    "SELECT quota_bytes_of($1, $2, $3, $4)",
                    &[
                        &status.as_str(),
                        &size.map(i64::from),
                        &object.map(i64::from),
                        &unproven.map(i64::from),
                    ],
                )
                .await;
            let counted: i64 = row.expect("a number").get(0);
            let [long_size, long_object, long_unproven] =
                [size, object, unproven].map(|bytes| bytes.map(u64::from));
            let expected = bytes_of(status, long_size, long_object, long_unproven);
            assert_eq!(
                u64::try_from(counted),
                Ok(expected),
                "{status} {size:?} {object:?} {unproven:?}"
            );
        }
    }
}
