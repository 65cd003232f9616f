//! Services that are away while a job runs, datasets that are replaced, and results without room.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::scene::Scene;
use crate::support::app::id;
use crate::support::gate::Gate;
use crate::support::observe::{TIMEOUT, eventually, within};
use crate::support::reply::Reply;
use crate::support::{cloud, database};

impl Scene {
    /// Waits until the only job of an upload has a message with this text, and returns the job.
    async fn wait_for_message(&self, upload: &Value, text: &str) -> Value {
        let what = format!("the job says {text:?}");
        within(TIMEOUT, &what, async || {
            let jobs = self.jobs(upload).await;
            jobs[0]["message"]
                .as_str()
                .unwrap_or_default()
                .contains(text)
        })
        .await;
        self.jobs(upload).await.remove(0)
    }

    /// The paths of all results in the store.
    async fn results(&self) -> Vec<String> {
        let listed = self.caller.get("/datasets?prefix=/derived/").await;
        let listed = listed.expect(StatusCode::OK);
        let entries = listed.as_array().expect("an array").iter();
        let path = |entry: &Value| entry["path"].as_str().expect("a path").to_owned();
        entries.map(path).collect()
    }

    async fn assert_one_whole_result(&self, upload: &Value) {
        let path = format!("/derived/{}/trial.bin", id(upload));
        assert_eq!(self.results().await, [path]);
    }
}

#[tokio::test]
async fn job_whose_result_the_store_does_not_take_is_tried_again() {
    let scene = Scene::new().await;
    let gate = Gate::new(cloud::address());
    let worker = scene
        .worker("trial")
        .set("AWS_ENDPOINT_URL_S3", gate.endpoint())
        .spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    sleep(Duration::from_millis(500)).await;
    gate.close().await;
    eventually("the job is given back", async || {
        scene.jobs(&upload).await[0]["status"] == "Queued"
    })
    .await;
    let job = scene.jobs(&upload).await.remove(0);
    assert!(job["message"].is_string(), "{job:#}");
    assert_eq!(scene.status(&upload).await, "Processing");
    gate.restore();
    scene.wait_for_status(&upload, "Processed").await;
    scene.assert_one_whole_result(&upload).await;
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}

#[tokio::test]
async fn job_ends_although_postgres_was_away_for_longer_than_the_lease() {
    let scene = Scene::new().await;
    let gate = Gate::new(database::address());
    let url = scene.place.database.url_through(gate.addr());
    let worker = scene.worker("trial").set("DATABASE_URL", url).spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    gate.close().await;
    sleep(Duration::from_secs(7)).await;
    gate.restore();
    scene.wait_for_status(&upload, "Processed").await;
    scene.assert_one_whole_result(&upload).await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs.len(), 1, "{jobs:#?}");
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}

#[tokio::test]
async fn result_that_exceeds_the_quota_is_written_once_there_is_room() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate").spawn();
    let set_quota = async |bytes: &str| {
        let run = scene
            .place
            .run(&["tenants", "set", "default", "--quota-bytes", bytes]);
        run.finish().await.ok();
    };
    let rows = "Song,Date,Number of Plays\na,1,1\n";
    set_quota(&(rows.len() + 5).to_string()).await;
    let upload = scene.caller.upload("/plays/a.csv", rows).await;
    let job = scene.wait_for_message(&upload, "quota").await;
    assert_eq!(job["status"], "Queued", "{job:#}");
    assert_eq!(scene.results().await, [""; 0]);
    set_quota("1000000").await;
    scene.wait_for_status(&upload, "Processed").await;
    assert_eq!(scene.results().await.len(), 1);
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn dataset_that_is_replaced_while_its_job_runs_leaves_no_result() {
    let scene = Scene::new().await;
    let worker = scene.worker("trial").spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    let delete = scene
        .caller
        .request(Method::DELETE, &format!("/uploads/{}", id(&upload)));
    let refused = Reply::of(delete).await;
    refused.expect_problem(409, "invalid-status");

    let body = json!({"path": "/slow/a.bin", "overwrite": true});
    let create = scene.caller.request(Method::POST, "/uploads").json(&body);
    let session = Reply::of(create).await.expect(StatusCode::CREATED);
    scene.caller.put(&session, "newer").await.expect_ok();
    let newer = scene.caller.acknowledge(&session).await;
    let newer = newer.expect(StatusCode::OK);
    assert_eq!(scene.status(&upload).await, "Superseded");
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["status"], "Cancelled", "{jobs:#?}");
    // The job of the replaced dataset started first, so it has ended when that of the newer one has:
    // its lease was lost, or its object was.
    scene.wait_for_status(&newer, "Processed").await;
    scene.assert_one_whole_result(&newer).await;

    let cascade = format!("/uploads/{}?cascade=true", id(&newer));
    let deleted = Reply::of(scene.caller.request(Method::DELETE, &cascade)).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:#?}");
    assert_eq!(scene.results().await, [""; 0]);
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}
