//! How jobs and workers end.

use reqwest::StatusCode;

use super::scene::Scene;
use crate::support::app::id;
use crate::support::observe::eventually;
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
async fn stopped_worker_finishes_its_job_within_the_shutdown_timeout() {
    let scene = Scene::new().await;
    let worker = scene.worker("trial").spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    worker.stop("TERM").await.ok();
    assert_eq!(scene.status(&upload).await, "Processed");
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 1, "{jobs:#?}");
    scene.assert_no_temporary_file();
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
    let rows = "Song,Date,Number of Plays\na,1,1\n";
    let upload = scene.caller.upload("/plays/a.csv", rows).await;
    scene.wait_for_status(&upload, "Processed").await;
    let waiting = scene.caller.upload("/slow/a.bin", "bytes").await;
    let of_processor = "{processor=\"csv-aggregate\"}";
    let succeeded = "{outcome=\"succeeded\",processor=\"csv-aggregate\"}";
    let expected = [
        "upload_broker_jobs_claimed_total 1".to_owned(),
        "upload_broker_job_attempts_ended_total{outcome=\"succeeded\"} 1".to_owned(),
        format!("upload_broker_job_attempt_seconds_count{succeeded} 1"),
        format!("upload_broker_jobs_running{of_processor} 0"),
        format!("upload_broker_jobs_queued{of_processor} 0"),
        format!("upload_broker_jobs_oldest_seconds{of_processor} 0"),
    ];
    let mut metrics = String::new();
    eventually("the metrics name the job", async || {
        metrics = caller.get("/metrics").await.expect_ok().body;
        let lines: Vec<&str> = metrics.lines().collect();
        expected.iter().all(|line| lines.contains(&&**line))
    })
    .await;
    assert_eq!(scene.status(&waiting).await, "Uploaded", "{metrics}");
    worker.stop("TERM").await.ok();
    let ended = scene.worker("pdf-tetx").finish().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.err.contains("pdf-tetx"), "{ended:#?}");
}
