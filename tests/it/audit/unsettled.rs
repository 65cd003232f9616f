//! What somebody asked for and was not told the end of: it is told that it was asked for.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{folded, rows};
use crate::support::app::{Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::eventually;

/// A delete whose caller hangs up goes on; it does not go on unseen. Whether its end was seen too is
/// a matter of how soon the connection is known to be gone.
#[tokio::test]
async fn request_of_disconnected_caller_is_recorded() {
    let gate = Gate::new(cloud::address());
    let setup = Setup::new().s3(gate.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint());
    let app = setup.start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    rows(&app, 2).await;
    gate.hold();
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

/// A delete that S3 fails at is finished by the janitor: who began it stands in the audit.
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
    gate.cut().await;
    for _ in 0..2 {
        app.delete("/datasets/a.csv")
            .await
            .expect_problem(503, "service-unavailable");
    }
    // A look that fails changes nothing, and is not told.
    app.get("/datasets/a.csv")
        .await
        .expect_problem(503, "service-unavailable");
    for row in folded(&app, "request.unsettled", 2).await {
        assert_eq!(row["code"], "service-unavailable", "{row:#}");
        assert_eq!(row["operation"], "DELETE /datasets/{path}", "{row:#}");
        assert_eq!(row["path"], "/a.csv", "{row:#}");
    }
    assert_eq!(app.read(&upload).await["status"], "Uploaded");
}

/// So is one that takes longer than a request may.
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
    gate.hold();
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
