//! Examples that are killed, stopped or paused in the middle of a job: another one finishes it, and
//! nothing is written twice.

use chrono::DateTime;
use serde_json::Value;

use super::scene::{Example, LEASE_SECONDS, Scene};
use crate::support::observe::eventually;

/// A gate that is not opened.
const NEVER: &str = "never";
/// The result of the function that waits, for a dataset of five bytes.
const SIZE_OF_BYTES: &str = "{\"size\": 5}\n";

async fn killed_example_is_replaced(example: Example) {
    let scene = Scene::new(example).await;
    let first = scene.waiting_worker(NEVER).spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_until_working(&upload).await;
    first.stop("KILL").await;
    scene.open("gate");
    let second = scene.waiting_worker("gate").spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 2, "{job:#}");
    assert_eq!(scene.result(&upload).await, SIZE_OF_BYTES);
    if example == Example::Subscriber {
        scene.wait_for_empty_queue().await;
    }
    second.stop("TERM").await.ok();
}

/// The first worker is paused for longer than its lease. When it wakes up, its work is done, and the
/// second worker has finished the job long ago.
async fn paused_example_changes_nothing(example: Example) {
    let scene = Scene::new(example).await;
    let mut first = scene.waiting_worker("first").spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_until_working(&upload).await;
    first.signal("STOP");
    scene.open("first");
    let second = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let written = scene.written(&upload).await;
    assert_eq!(written.0[0]["attempt"], 2, "{written:#?}");
    let result = scene.result(&upload).await;
    first.signal("CONT");
    first.wait_for_log("lease-lost").await;
    // A worker that has to stop ends the work that it does.
    first.stop("TERM").await.ok();
    assert_eq!(scene.written(&upload).await, written);
    assert_eq!(scene.result(&upload).await, result);
    let kinds = scene.event_types(&upload).await;
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    if example == Example::Subscriber {
        scene.wait_for_empty_queue().await;
    }
    second.stop("TERM").await.ok();
}

async fn stopped_example_gives_its_job_back(example: Example) {
    let scene = Scene::new(example).await;
    let first = scene.waiting_worker(NEVER).spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_until_working(&upload).await;
    first.stop("TERM").await.ok();
    let job = scene.job(&upload).await;
    assert_eq!(job["status"], "Queued", "{job:#}");
    assert_eq!(job["attempt"], 0, "{job:#}");
    let second = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 1, "{job:#}");
    second.stop("TERM").await.ok();
}

/// The work takes longer than the lease, which is renewed with the progress.
async fn working_example_keeps_its_job(example: Example) {
    let scene = Scene::new(example).await;
    let first = scene.waiting_worker("gate").spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_until_working(&upload).await;
    let second = scene.worker().spawn();
    let leased_until = |job: &Value| {
        let end = job["lease_expires_at"].as_str().expect("a lease");
        DateTime::parse_from_rfc3339(end).expect("a time")
    };
    let start = leased_until(&scene.job(&upload).await);
    eventually("the lease is extended by twice its length", async || {
        let job = scene.job(&upload).await;
        (leased_until(&job) - start).num_seconds() >= 2 * i64::from(LEASE_SECONDS)
    })
    .await;
    scene.open("gate");
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(scene.result(&upload).await, SIZE_OF_BYTES);
    for worker in [first, second] {
        worker.stop("TERM").await.ok();
    }
}

#[tokio::test]
async fn job_of_a_killed_subscriber_is_finished_by_another_one() {
    killed_example_is_replaced(Example::Subscriber).await;
}

#[tokio::test]
async fn job_of_a_killed_puller_is_finished_by_another_one() {
    killed_example_is_replaced(Example::Puller).await;
}

#[tokio::test]
async fn paused_subscriber_that_wakes_up_after_its_lease_changes_nothing() {
    paused_example_changes_nothing(Example::Subscriber).await;
}

#[tokio::test]
async fn paused_puller_that_wakes_up_after_its_lease_changes_nothing() {
    paused_example_changes_nothing(Example::Puller).await;
}

#[tokio::test]
async fn stopped_subscriber_gives_its_job_back() {
    stopped_example_gives_its_job_back(Example::Subscriber).await;
}

#[tokio::test]
async fn stopped_puller_gives_its_job_back() {
    stopped_example_gives_its_job_back(Example::Puller).await;
}

#[tokio::test]
async fn subscriber_keeps_a_job_that_takes_longer_than_its_lease() {
    working_example_keeps_its_job(Example::Subscriber).await;
}

#[tokio::test]
async fn puller_keeps_a_job_that_takes_longer_than_its_lease() {
    working_example_keeps_its_job(Example::Puller).await;
}
