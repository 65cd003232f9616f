//! One replica is killed with `kill -9` after S3 has started a multipart upload and before the row
//! contains it. Such an upload harms nothing, and a janitor aborts it when no part has arrived for
//! the configured time.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::crashes::{OTHER, killed_at, long, status, waits_for_its_row};
use crate::janitor::clear_in;
use crate::support::app::{Setup, id, now};
use crate::support::fleet::Fleet;
use crate::support::reply::Reply;

/// Runs another janitor, two hours later.
async fn clear_later(fleet: &Fleet) {
    let bucket = &fleet.place.bucket.name;
    let janitor = Setup::new()
        .set("DATABASE_URL", fleet.place.database.url())
        .set("BROKER_S3_BUCKET", bucket)
        .set("BROKER_STALE_MULTIPART_SECONDS", 3_600)
        .clock_at(now() + TimeDelta::hours(2));
    clear_in(&janitor.start().await, bucket).await;
}

async fn send(fleet: &Fleet, part: &Value, bytes: &'static str) {
    let mut put = fleet.caller(OTHER).http.put(part["url"].as_str().unwrap());
    for (name, value) in part["headers"].as_object().expect("headers") {
        put = put.header(name, value.as_str().expect("a header value"));
    }
    Reply::of(put.body(bytes)).await.expect_ok();
}

#[tokio::test]
async fn multipart_upload_without_row_of_killed_create_is_aborted() {
    let fleet = Fleet::start(&long()).await;
    let create = |caller: crate::support::serving::Caller| {
        let request = caller.request(Method::POST, "/uploads");
        let request = request.header("idempotency-key", "once");
        request.json(&json!({"path": "/a.bin", "multipart": true, "size": 3, "expires_in": 86_400}))
    };
    let s3 = &fleet.replicas[0].s3;
    s3.block_responses();
    killed_at(&fleet, create(fleet.caller(0)), s3.response_waits()).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    let caller = fleet.caller(OTHER);
    let none = caller.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(none, json!([]), "a row was written");

    // The client repeats its request and gets an upload of its own.
    let session = Reply::of(create(fleet.caller(OTHER))).await;
    let session = session.expect(StatusCode::CREATED);
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin", "a.bin"]);
    clear_later(&fleet).await;
    assert_eq!(
        fleet.place.bucket.open_keys().await,
        ["a.bin"],
        "one is known"
    );
    send(&fleet, &session["multipart"]["parts"][0], "abc").await;
    let done = caller.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(done["status"], "Uploaded");
    assert_eq!(fleet.place.bucket.get("a.bin").await, b"abc");
}

/// The statement that a replica was about to run when it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    /// The statement had not reached Postgres.
    Lost,
    /// Postgres had received the statement and runs it to its end.
    Runs,
}

/// Creates an upload whose multipart upload a replica starts again at S3 before it dies.
async fn restarted_by_killed_replica(fleet: &Fleet, statement: Statement) -> Value {
    let caller = fleet.caller(OTHER);
    let body = json!({"path": "/a.bin", "multipart": true, "size": 3, "expires_in": 86_400});
    let request = caller.request(Method::POST, "/uploads").json(&body);
    let session = Reply::of(request).await.expect(StatusCode::CREATED);
    // The request has a part checksum, which was not announced to S3 at the start.
    let path = format!("/uploads/{}/parts", id(&session));
    let anew = fleet
        .caller(0)
        .request(Method::POST, &path)
        .json(&checked());

    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    killed_at(fleet, anew, waits_for_its_row(fleet)).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin", "a.bin"]);
    if statement == Statement::Lost {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        lock.batch_execute(end).await.expect("an end");
    }
    lock.rollback().await.expect("a rollback");
    session
}

fn checked() -> Value {
    let checksum = json!({"algorithm": "CRC32C", "value": "Nks/tw=="});
    json!({"parts": [{"part_number": 1, "checksum": checksum}]})
}

#[tokio::test]
async fn killed_restart_that_was_not_written_leaves_old_multipart_upload_usable() {
    let fleet = Fleet::start(&long()).await;
    let session = restarted_by_killed_replica(&fleet, Statement::Lost).await;
    clear_later(&fleet).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    // The upload is unchanged, so its first URL works.
    send(&fleet, &session["multipart"]["parts"][0], "abc").await;
    let done = fleet.caller(OTHER).acknowledge(&session).await;
    done.expect(StatusCode::OK);
    assert_eq!(fleet.place.bucket.get("a.bin").await, b"abc");
}

#[tokio::test]
async fn killed_restart_that_was_written_continues_with_new_multipart_upload() {
    let fleet = Fleet::start(&long()).await;
    let session = restarted_by_killed_replica(&fleet, Statement::Runs).await;
    let caller = fleet.caller(OTHER);
    let path = format!("/uploads/{}/parts", id(&session));
    // The client repeats its request, and the new URL belongs to the multipart upload in the row.
    let parts = caller.request(Method::POST, &path).json(&checked());
    let parts = Reply::of(parts).await.expect(StatusCode::OK);
    clear_later(&fleet).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    send(&fleet, &parts["parts"][0], "abc").await;
    caller.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(status(&fleet, &session).await, "Uploaded");
    assert_eq!(fleet.place.bucket.get("a.bin").await, b"abc");
}
