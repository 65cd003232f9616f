//! Workers that are killed at any moment: every job ends once, and its result is whole.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::scene::Scene;
use crate::support::app::id;
use crate::support::observe::{TIMEOUT, within};
use crate::support::options;
use crate::support::process::Process;
use crate::support::reply::Reply;
use crate::support::seeded_rng::SeededRng;

/// The number of datasets with a job each.
const DATASETS: usize = 24;
/// The number of workers, each with two jobs at the same time.
const WORKERS: u64 = 2;
/// `FAULT_KILLS` overrides it.
const KILLS: u64 = 20;

const ROWS: &str = "Song,Date,Number of Plays\nb,1,2\na,1,1\nb,1,3\n";
const RESULT: &str = "Song,Date,sum(Number of Plays)\na,1,1\nb,1,5\n";

fn spawn(scene: &Scene) -> Process {
    scene.worker("csv-aggregate,trial").spawn()
}

#[tokio::test]
async fn every_job_ends_once_with_a_whole_result_after_twenty_kills() {
    let seed = options::seed(1);
    println!("FAULT_SEED={seed}");
    let mut random = SeededRng(seed);
    let scene = Scene::new().await;
    let mut workers: Vec<Process> = (0..WORKERS).map(|_| spawn(&scene)).collect();
    let mut uploads = Vec::new();
    for number in 0..DATASETS {
        let slow = number % 3 == 0;
        let path = match slow {
            true => format!("/slow/{number}.bin"),
            false => format!("/plays/{number}.csv"),
        };
        uploads.push((slow, scene.caller.upload(&path, ROWS).await));
        if number % 2 == 0 {
            sleep(Duration::from_millis(random.below(200))).await;
        }
    }
    for _ in 0..options::kills(KILLS) {
        sleep(Duration::from_millis(random.below(900))).await;
        let victim = usize::try_from(random.below(WORKERS)).expect("an index");
        let killed = std::mem::replace(&mut workers[victim], spawn(&scene));
        killed.stop("KILL").await;
    }
    for (_, upload) in &uploads {
        within(TIMEOUT * 3, "all jobs have ended", async || {
            ["Processed", "Error"].contains(&&*scene.status(upload).await)
        })
        .await;
        // A job that was killed five times has failed, and runs again when it is asked for.
        if scene.status(upload).await == "Error" {
            let jobs = scene.jobs(upload).await;
            assert_eq!(jobs[0]["attempt"], 5, "{jobs:#?}");
            let retry = format!("/uploads/{}/processing/retry", id(upload));
            scene.caller.post_empty(&retry).await.expect_ok();
            scene.wait_for_status(upload, "Processed").await;
        }
    }
    for (slow, upload) in &uploads {
        assert_whole(&scene, upload, *slow).await;
    }
    for worker in workers {
        worker.stop("TERM").await.ok();
    }
    scene.assert_no_temporary_file();
}

/// Asserts that the only job of an upload has succeeded, ended once, and has a whole result.
async fn assert_whole(scene: &Scene, upload: &Value, slow: bool) {
    let jobs = scene.jobs(upload).await;
    assert_eq!(jobs.len(), 1, "{jobs:#?}");
    assert_eq!(jobs[0]["status"], "Succeeded", "{jobs:#?}");
    let events = scene
        .caller
        .get(&format!("/uploads/{}/events", id(upload)))
        .await;
    let events = events.expect(StatusCode::OK);
    let ended = (events.as_array().expect("an array").iter())
        .filter(|event| event["type"] == json!("dataset.processed"));
    assert_eq!(ended.count(), 1, "{events:#}");
    let results = format!("/uploads/{}/results", id(upload));
    let results = scene.caller.get(&results).await.expect(StatusCode::OK);
    assert_eq!(results.as_array().map(Vec::len), Some(1), "{results:#}");
    let url = results[0]["download_url"].as_str().expect("a URL");
    let bytes = Reply::of(scene.caller.http.get(url)).await.expect_ok().body;
    if !slow {
        assert_eq!(bytes, RESULT);
    }
}
