//! Requests whose outcome the caller did not learn are recorded as having been made.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{rows, rows_of_action};
use crate::support::app::{Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::eventually;

/// A delete whose caller disconnects goes on, and is recorded. Whether its outcome is recorded as
/// well depends on how soon the closed connection is noticed.
#[tokio::test]
async fn request_of_disconnected_caller_is_recorded() {
    let gate = Gate::new(cloud::address());
    let setup = Setup::new().s3(gate.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint());
    let app = setup.start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    rows(&app, 2).await;
    gate.block();
    let delete = app
        .request(Method::DELETE, &format!("/uploads/{}", id(&upload)))
        .header("x-request-id", "gone");
    // A client of its own: its connection closes with it.
    let client = reqwest::Client::new();
    let delete = delete.build().expect("a request");
    let asked = tokio::spawn(async move { client.execute(delete).await });
    gate.request_waits().await;
    asked.abort();
    gate.restore();
    let row = &rows(&app, 3).await[2];
    let action = row["action"].as_str().expect("an action");
    assert!(
        ["upload.deleted", "request.unsettled"].contains(&action),
        "{row:#}"
    );
    assert_eq!(row["upload_id"], upload["id"], "{row:#}");
    assert_eq!(row["request_id"], "gone", "{row:#}");
    let actor = row["actor"].as_str().expect("an actor");
    assert!(actor.starts_with("key:"), "{row:#}");
    eventually("the delete ends by itself", async || {
        app.read(&upload).await["status"] == "Deleted"
    })
    .await;
}

/// A delete that fails at S3 is finished by the janitor; the audit says who began it.
#[tokio::test]
async fn failed_delete_is_recorded_with_problem_code() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new()
        .s3(gate.endpoint())
        .set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint())
        .set("BROKER_AWS_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    gate.close().await;
    for _ in 0..2 {
        app.delete("/datasets/a.csv")
            .await
            .expect_problem(503, "service-unavailable");
    }
    // A read that fails changes nothing and is not recorded.
    app.get("/datasets/a.csv")
        .await
        .expect_problem(503, "service-unavailable");
    for row in rows_of_action(&app, "request.unsettled", 2).await {
        assert_eq!(row["code"], "service-unavailable", "{row:#}");
        assert_eq!(row["operation"], "DELETE /datasets/{path}", "{row:#}");
        assert_eq!(row["path"], "/a.csv", "{row:#}");
    }
    assert_eq!(app.read(&upload).await["status"], "Uploaded");
}

/// A request that exceeds its time limit is recorded as well.
#[tokio::test]
async fn request_that_exceeds_its_deadline_is_recorded() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new()
        .s3(gate.endpoint())
        .set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint())
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 1)
        .set("BROKER_AWS_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let session = app.create("/a.csv", json!({})).await;
    app.put(&session, "x").await.expect_ok();
    rows(&app, 1).await;
    gate.block();
    let asked = app.acknowledge(&session);
    let reply = tokio::time::timeout(Duration::from_secs(20), asked).await;
    reply
        .expect("an answer")
        .expect_problem(503, "service-unavailable");
    gate.restore();
    let rows = rows(&app, 2).await;
    assert_eq!(rows[1]["action"], "request.unsettled", "{rows:#?}");
    assert_eq!(rows[1]["upload_id"], session["id"], "{rows:#?}");
}
