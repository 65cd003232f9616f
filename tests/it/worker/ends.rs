//! How jobs and workers end.

use reqwest::StatusCode;

use super::scene::Scene;
use crate::support::app::id;
use crate::support::serving::Caller;

#[tokio::test]
async fn dataset_that_the_processor_refuses_fails_with_the_reason() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate,trial").spawn();
    let upload = scene
        .caller
        .upload("/plays/other.csv", "Title,Day\na,b\n")
        .await;
    let broken = scene.caller.upload("/abort/a.bin", "bytes").await;
    scene.wait_for_status(&upload, "Error").await;
    scene.wait_for_status(&broken, "Error").await;
    let now = scene.caller.get(&format!("/uploads/{}", id(&upload))).await;
    let now = now.expect(StatusCode::OK);
    assert_eq!(now["error"]["code"], "processing-failed", "{now:#}");
    let detail = now["error"]["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("Song") && detail.contains("Title"),
        "{detail}"
    );
    let jobs = scene.jobs(&upload).await;
    assert_eq!(
        jobs[0]["attempt"], 1,
        "what is permanent is not repeated: {jobs:#?}"
    );
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn job_of_a_killed_worker_is_finished_by_another_worker() {
    let scene = Scene::new().await;
    let first = scene.worker("trial").spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    first.stop("KILL").await;
    let second = scene.worker("trial").spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 2, "{jobs:#?}");
    second.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}

#[tokio::test]
async fn stopped_worker_gives_its_job_back_without_counting_the_attempt() {
    let scene = Scene::new().await;
    let first = scene
        .worker("trial")
        .set("BROKER_SHUTDOWN_SECONDS", 2)
        .spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    first.stop("TERM").await.ok();
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["status"], "Queued", "{jobs:#?}");
    assert_eq!(jobs[0]["attempt"], 0, "{jobs:#?}");
    let second = scene.worker("trial").spawn();
    scene.wait_for_status(&upload, "Processed").await;
    second.stop("TERM").await.ok();
}

#[tokio::test]
async fn paused_worker_that_wakes_up_after_its_lease_changes_nothing() {
    let scene = Scene::new().await;
    let first = scene.worker("trial").spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    first.signal("STOP");
    let second = scene.worker("trial").spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let (jobs, results) = (
        scene.jobs(&upload).await,
        scene.caller.get("/datasets?prefix=/derived/").await.json(),
    );
    first.signal("CONT");
    let mut first = first;
    first.wait_for_log("lease").await;
    assert_eq!(scene.jobs(&upload).await, jobs);
    let now = scene.caller.get("/datasets?prefix=/derived/").await.json();
    assert_eq!(now, results);
    for worker in [first, second] {
        worker.stop("TERM").await.ok();
    }
}

#[tokio::test]
async fn worker_serves_health_checks_and_metrics_and_rejects_unknown_processors() {
    let scene = Scene::new().await;
    let mut worker = scene.worker("csv-aggregate").spawn();
    let url = worker.ready().await;
    let caller = Caller::new(url, scene.caller.key.clone());
    for path in ["/livez", "/readyz"] {
        caller.get(path).await.expect_ok();
    }
    let metrics = caller.get("/metrics").await.expect_ok().body;
    assert!(
        metrics.contains("upload_broker_jobs_claimed_total"),
        "{metrics}"
    );
    worker.stop("TERM").await.ok();
    let ended = scene.worker("pdf-tetx").finish().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.err.contains("pdf-tetx"), "{ended:#?}");
}
