//! An object is removed while a newer upload arrives at the same key: no acknowledged upload loses
//! its object.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::holding_proxy::HoldingProxy;

const KEY: &str = "data/employees.csv";

/// A broker whose DELETE requests are held on their way to S3.
async fn app_with_held_deletes(setup: Setup) -> (App, HoldingProxy) {
    let halt = HoldingProxy::new(cloud::address(), "DELETE /");
    let app = setup.s3(halt.endpoint()).start().await;
    (app, halt)
}

async fn overwriting(app: &App) -> Value {
    app.create(KEY, json!({"overwrite": true, "expires_in": 3600}))
        .await
}

fn without_conditions() -> Setup {
    Setup::new().set("BROKER_S3_CONDITIONAL_WRITES", "off")
}

/// While `removal` is held on its way to S3, a new upload with `bytes` arrives. It must not be
/// acknowledged before the store has answered, and never without its object.
async fn assert_acknowledge_waits_for(
    app: &App,
    halt: &HoldingProxy,
    removal: impl Future<Output = ()>,
    bytes: &str,
) {
    let new = overwriting(app).await;
    let newer = async {
        halt.request_waits().await;
        app.put(&new, bytes).await.expect_ok();
        let early = app.acknowledge(&new).await;
        let early = early.expect_problem(503, "service-unavailable");
        let detail = early["detail"].as_str().expect("a detail");
        assert!(detail.contains("still being removed"), "{early:#}");
        assert_eq!(app.read(&new).await["status"], "Pending", "{early:#}");
        halt.release().await;
    };
    tokio::join!(removal, newer);
    if app.bucket.head(KEY).await.is_none() {
        let lost = app.acknowledge(&new).await;
        lost.expect_problem(409, "object-missing");
        app.put(&new, bytes).await.expect_ok();
    }
    app.acknowledge(&new).await.expect(StatusCode::OK);
    assert_eq!(app.bucket.get(KEY).await, bytes.as_bytes());
    assert_eq!(app.removals_under_way().await, 0);
}

async fn deleted(app: &App, upload: &Value) {
    let reply = app.delete(&format!("/uploads/{}", id(upload))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(upload).await["status"], "Deleted");
}

async fn cancelled(app: &App, upload: &Value) {
    let cancel = app
        .post_empty(&format!("/uploads/{}/cancel", id(upload)))
        .await;
    cancel.expect(StatusCode::OK);
}

#[tokio::test]
async fn running_delete_blocks_acknowledge_of_the_same_bytes() {
    let (app, halt) = app_with_held_deletes(Setup::new()).await;
    let old = app.upload(KEY, "bytes", json!({})).await;
    assert_acknowledge_waits_for(&app, &halt, deleted(&app, &old), "bytes").await;
}

#[tokio::test]
async fn running_delete_blocks_acknowledge_of_any_bytes_without_conditional_delete() {
    let (app, halt) = app_with_held_deletes(without_conditions()).await;
    let old = app.upload(KEY, "bytes", json!({})).await;
    assert_acknowledge_waits_for(&app, &halt, deleted(&app, &old), "other").await;
}

#[tokio::test]
async fn running_forced_delete_blocks_acknowledge_of_the_same_bytes() {
    let (app, halt) = app_with_held_deletes(Setup::new()).await;
    let old = app.upload(KEY, "old", json!({})).await;
    app.bucket.put(KEY, "bytes").await;
    let forced = async {
        let path = format!("/uploads/{}?force=remove", id(&old));
        let reply = app.delete(&path).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    };
    assert_acknowledge_waits_for(&app, &halt, forced, "bytes").await;
}

#[tokio::test]
async fn running_cancel_blocks_acknowledge_of_the_same_bytes() {
    let (app, halt) = app_with_held_deletes(Setup::new()).await;
    let old = overwriting(&app).await;
    app.put(&old, "bytes").await.expect_ok();
    assert_acknowledge_waits_for(&app, &halt, cancelled(&app, &old), "bytes").await;
}

#[tokio::test]
async fn running_final_check_blocks_acknowledge_of_the_same_bytes() {
    let (app, halt) = app_with_held_deletes(Setup::new()).await;
    let old = app
        .create(KEY, json!({"overwrite": true, "expires_in": 60}))
        .await;
    cancelled(&app, &old).await;
    app.put(&old, "bytes").await.expect_ok();
    let new = overwriting(&app).await;
    app.advance(TimeDelta::seconds(60 + 901));
    let janitor = async {
        let round = app.janitor().await;
        assert_eq!((round.failed, round.removed), (0, 1), "{round:?}");
        // S3 would reject a signature from a clock that is ahead.
        app.advance(TimeDelta::seconds(-(60 + 901)));
    };
    let newer = async {
        halt.request_waits().await;
        app.put(&new, "bytes").await.expect_ok();
        let early = app.acknowledge(&new).await;
        early.expect_problem(503, "service-unavailable");
        halt.release().await;
    };
    tokio::join!(janitor, newer);
    let lost = app.acknowledge(&new).await;
    lost.expect_problem(409, "object-missing");
}

#[tokio::test]
async fn running_conditional_delete_does_not_block_acknowledge_of_other_bytes() {
    let (app, halt) = app_with_held_deletes(Setup::new()).await;
    let old = app.upload(KEY, "bytes", json!({})).await;
    let new = overwriting(&app).await;
    let newer = async {
        let head = halt.request_waits().await;
        // However long the request is held, S3 accepts it for a minute only.
        assert!(head.contains("X-Amz-Expires=60"), "{head}");
        app.put(&new, "other").await.expect_ok();
        app.acknowledge(&new).await.expect(StatusCode::OK);
        halt.release().await;
    };
    tokio::join!(deleted(&app, &old), newer);
    assert_eq!(app.bucket.get(KEY).await, b"other");
    assert_eq!(app.read(&new).await["status"], "Uploaded");
}

#[tokio::test]
async fn unanswered_delete_blocks_acknowledge_until_it_can_no_longer_arrive() {
    let short = Setup::new()
        .set("BROKER_AWS_TIMEOUT_SECONDS", 2)
        .set("BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS", 2);
    let (app, halt) = app_with_held_deletes(short).await;
    let old = app.upload(KEY, "bytes", json!({})).await;
    let path = format!("/uploads/{}", id(&old));
    let reply = app.delete(&path).await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&old).await["status"], "Deleting");
    let new = overwriting(&app).await;
    app.put(&new, "bytes").await.expect_ok();
    let early = app.acknowledge(&new).await;
    early.expect_problem(503, "service-unavailable");
    // The broker does not wait for it any more, and it arrives.
    halt.release().await;
    assert!(app.bucket.head(KEY).await.is_none());
    app.put(&new, "bytes").await.expect_ok();
    let early = app.acknowledge(&new).await;
    early.expect_problem(503, "service-unavailable");
    app.advance(TimeDelta::seconds(151));
    app.acknowledge(&new).await.expect(StatusCode::OK);
    // The old upload ends without removing the object of the new one.
    deleted(&app, &old).await;
    assert_eq!(app.bucket.get(KEY).await, b"bytes");
    app.upload("other.csv", "x", json!({})).await;
    app.advance(TimeDelta::hours(2));
    let reply = app.delete("/datasets/other.csv").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.removals_under_way().await, 0, "what lapsed is dropped");
}

#[tokio::test]
async fn cancel_keeps_object_with_bytes_of_another_dataset() {
    let app = App::start().await;
    let late = overwriting(&app).await;
    let proven = overwriting(&app).await;
    app.put(&proven, "bytes").await.expect_ok();
    app.acknowledge(&proven).await.expect(StatusCode::OK);
    // The same bytes are written once more by the URL of another upload.
    app.put(&late, "bytes").await.expect_ok();
    cancelled(&app, &late).await;
    assert_eq!(app.bucket.get(KEY).await, b"bytes");
    app.advance(TimeDelta::hours(2));
    app.janitor().await;
    assert_eq!(app.bucket.get(KEY).await, b"bytes", "after its last look");
    assert_eq!(app.read(&proven).await["status"], "Uploaded");
}

#[tokio::test]
async fn dataset_is_recorded_as_missing_when_wrong_object_over_it_is_deleted() {
    let app = App::start().await;
    let dataset = app.upload(KEY, "bytes", json!({})).await;
    let wrong = app.create(KEY, json!({"overwrite": true})).await;
    app.put(&wrong, "wrong").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", id(&wrong));
    let refused = app.post(&acknowledge, json!({"size": 1})).await;
    refused.expect_problem(422, "object-mismatch");
    let now = app.read(&dataset).await;
    assert_eq!(now["drift"]["kind"], "replaced", "{now:#}");
    deleted(&app, &wrong).await;
    let now = app.read(&dataset).await;
    assert_eq!(now["drift"]["kind"], "missing", "{now:#}");
    let types = app.event_types(&dataset).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.drifted", "dataset.drifted"]
    );
    // The wrong object replaced the proven one and was then removed.
    let path = format!("/uploads/{}/events", id(&dataset));
    let events = app.get(&path).await.expect(StatusCode::OK);
    assert_eq!(events[1]["data"]["drift"], "replaced", "{events:#}");
    assert_eq!(events[2]["data"]["drift"], "missing", "{events:#}");
}

/// The PUT replaced the proven object, and the cancel removed the object of that PUT.
#[tokio::test]
async fn cancel_of_arrived_overwrite_records_replaced_dataset_as_missing() {
    let app = App::start().await;
    let dataset = app.upload(KEY, "bytes", json!({})).await;
    let newer = overwriting(&app).await;
    app.put(&newer, "newer").await.expect_ok();
    cancelled(&app, &newer).await;
    let now = app.read(&dataset).await;
    assert_eq!(now["drift"]["kind"], "missing", "{now:#}");
    let types = app.event_types(&dataset).await;
    assert_eq!(types, ["dataset.uploaded", "dataset.drifted"]);
}

/// The proof has already read the table of removals and waits for its row.
#[tokio::test]
async fn removal_started_during_commit_of_a_proof_blocks_the_proof() {
    let app = App::start().await;
    let old = app.upload(KEY, "old", json!({})).await;
    let new = overwriting(&app).await;
    app.put(&new, "new").await.expect_ok();
    let client = app.sql().await;
    let begin = async {
        let (bucket, ends_at) = (&app.bucket.name, app.clock.now() + TimeDelta::hours(1));
        let removal = format!(
            "INSERT INTO removals (id, bucket, key, ends_at) \
             VALUES (gen_random_uuid(), '{bucket}', '{KEY}', '{ends_at}')"
        );
        client.batch_execute(&removal).await.expect("a removal");
    };
    let early = app.run_before_write(app.acknowledge(&new), begin).await;
    early.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&old).await["status"], "Uploaded");
    assert_eq!(app.event_types(&old).await, ["dataset.uploaded"]);
    assert_eq!(app.read(&new).await["status"], "Pending");
    let ended = client.batch_execute("DELETE FROM removals").await;
    ended.expect("an end");
    app.acknowledge(&new).await.expect(StatusCode::OK);
    assert_eq!(app.read(&old).await["status"], "Superseded");
}
