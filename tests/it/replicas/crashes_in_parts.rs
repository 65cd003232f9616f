//! `kill -9` between S3 and the row of an upload in parts: what S3 has begun then, no row knows. It
//! is in nobody's way, and a janitor frees it when nothing has come to it for its time.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::crashes::{OTHER, killed_at, long, status, waits_for_its_row};
use crate::janitor::clear_in;
use crate::support::app::{Setup, id, now};
use crate::support::fleet::Fleet;
use crate::support::reply::Reply;

/// Another janitor, two hours later.
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
async fn in_create_before_the_row() {
    let fleet = Fleet::start(&long()).await;
    let create = |caller: crate::support::serving::Caller| {
        let request = caller.request(Method::POST, "/uploads");
        let request = request.header("idempotency-key", "once");
        request.json(&json!({"path": "/a.bin", "multipart": true, "size": 3, "expires_in": 86_400}))
    };
    let s3 = &fleet.replicas[0].s3;
    s3.hold_answers();
    killed_at(&fleet, create(fleet.caller(0)), s3.answer_waits()).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    let caller = fleet.caller(OTHER);
    let none = caller.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(none, json!([]), "a row was written");

    // The client asks again, and gets an upload of its own.
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

/// What a replica was about to write when it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    /// It had not reached Postgres.
    Lost,
    /// Postgres had it, and runs it to its end.
    Runs,
}

/// An upload that was begun anew at S3, by a replica that is dead now.
async fn begun_anew(fleet: &Fleet, statement: Statement) -> Value {
    let caller = fleet.caller(OTHER);
    let body = json!({"path": "/a.bin", "multipart": true, "size": 3, "expires_in": 86_400});
    let request = caller.request(Method::POST, "/uploads").json(&body);
    let session = Reply::of(request).await.expect(StatusCode::CREATED);
    // With the checksum of a part, which S3 was not told of.
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
async fn when_it_is_begun_anew_and_the_row_does_not_know() {
    let fleet = Fleet::start(&long()).await;
    let session = begun_anew(&fleet, Statement::Lost).await;
    clear_later(&fleet).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    // The upload is as it was: its first URL is good.
    send(&fleet, &session["multipart"]["parts"][0], "abc").await;
    let done = fleet.caller(OTHER).acknowledge(&session).await;
    done.expect(StatusCode::OK);
    assert_eq!(fleet.place.bucket.get("a.bin").await, b"abc");
}

#[tokio::test]
async fn when_it_is_begun_anew_and_the_row_knows_alone() {
    let fleet = Fleet::start(&long()).await;
    let session = begun_anew(&fleet, Statement::Runs).await;
    let caller = fleet.caller(OTHER);
    let path = format!("/uploads/{}/parts", id(&session));
    // The client asks again, and its part goes to where the row says.
    let parts = caller.request(Method::POST, &path).json(&checked());
    let parts = Reply::of(parts).await.expect(StatusCode::OK);
    clear_later(&fleet).await;
    assert_eq!(fleet.place.bucket.open_keys().await, ["a.bin"]);
    send(&fleet, &parts["parts"][0], "abc").await;
    caller.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(status(&fleet, &session).await, "Uploaded");
    assert_eq!(fleet.place.bucket.get("a.bin").await, b"abc");
}
