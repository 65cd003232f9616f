//! Workers: processes that run the jobs of datasets that have arrived, and what remains when they end.

mod results;

use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::app::id;
use crate::support::observe::{TIMEOUT, eventually, within};
use crate::support::process::{Process, Run};
use crate::support::python;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

const RULES: &str = r#"
[[rule]]
processor = "csv-aggregate"
paths = ["/plays/**"]
options = { group_by = ["Song", "Date"], aggregates = [{ function = "sum", column = "Number of Plays" }] }

[[rule]]
processor = "trial"
external = true
paths = ["/slow/**"]
options = { sleep = 2500 }

[[rule]]
processor = "trial"
external = true
paths = ["/abort/**"]
options = { fail = "broken" }

[[rule]]
processor = "trial"
external = true
paths = ["/named/**"]
options = { named = ["small", "large"] }
"#;

/// A broker whose rules queue jobs, and a place for workers.
struct Scene {
    place: Place,
    folder: TempDir,
    _broker: Process,
    caller: Caller,
}

impl Scene {
    async fn new() -> Scene {
        let place = Place::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let rules = RULES;
        std::fs::write(rules_file(&folder), rules).expect("a file of rules");
        let run = place
            .serve()
            .set("BROKER_PROCESSORS_FILE", rules_file(&folder).display());
        let (broker, caller) = place.start(run).await;
        Scene {
            place,
            folder,
            _broker: broker,
            caller,
        }
    }

    fn worker(&self, processors: &str) -> Run {
        self.place
            .run(&["worker"])
            .set("BROKER_WORKER_BIND", "127.0.0.1:0")
            .set("BROKER_WORKER_PROCESSORS", processors)
            .set("BROKER_WORKER_LEASE_SECONDS", 5)
            .set("BROKER_WORKER_SCRATCH", self.folder.path().display())
    }

    async fn jobs(&self, upload: &Value) -> Vec<Value> {
        let jobs = self
            .caller
            .get(&format!("/uploads/{}/jobs", id(upload)))
            .await;
        let jobs = jobs.expect(StatusCode::OK);
        jobs.as_array().expect("an array").clone()
    }

    async fn status(&self, upload: &Value) -> String {
        let now = self.caller.get(&format!("/uploads/{}", id(upload))).await;
        let now = now.expect(StatusCode::OK);
        now["status"].as_str().expect("a status").to_owned()
    }

    async fn wait_for_status(&self, upload: &Value, wanted: &str) {
        let what = format!("the upload is {wanted}");
        within(TIMEOUT * 2, &what, async || {
            self.status(upload).await == wanted
        })
        .await;
    }

    async fn wait_until_running(&self, upload: &Value) {
        eventually("the job runs", async || {
            let jobs = self.jobs(upload).await;
            jobs.iter().any(|job| job["status"] == "Running")
        })
        .await;
    }

    fn assert_no_temporary_file(&self) {
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name != "rules.toml")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn rules_file(folder: &TempDir) -> PathBuf {
    folder.path().join("rules.toml")
}

/// Plays of a few songs on a few days, in no particular order.
fn plays() -> String {
    let mut rows = "Song,Date,Number of Plays\n".to_owned();
    for number in 0_u64..20_000 {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (song, day, plays) = (mixed % 97, mixed % 31 + 1, mixed % 1_000);
        rows.push_str(&format!("\"Song, {song}\",2025-03-{day:02},{plays}\n"));
    }
    rows
}

const REFERENCE: &str = "
import csv, sys
sums = {}
rows = csv.reader(sys.stdin)
next(rows)
for song, date, plays in rows:
    sums[song, date] = sums.get((song, date), 0) + int(plays)
out = csv.writer(sys.stdout, lineterminator='\\n')
out.writerow(['Song', 'Date', 'sum(Number of Plays)'])
for key in sorted(sums):
    out.writerow([*key, sums[key]])
";

#[tokio::test]
async fn song_plays_are_aggregated_as_by_another_program() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate").spawn();
    let rows = plays();
    let upload = scene.caller.upload("/plays/march.csv", &rows).await;
    scene.wait_for_status(&upload, "Processed").await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["status"], "Succeeded", "{jobs:#?}");
    assert_eq!(jobs[0]["report"]["rows"], 20_000, "{jobs:#?}");
    let results = scene
        .caller
        .get(&format!("/uploads/{}/results", id(&upload)))
        .await;
    let results = results.expect(StatusCode::OK);
    assert_eq!(results[0]["kind"], "aggregate", "{results:#}");
    let url = results[0]["download_url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let result = Reply::of(scene.caller.http.get(&url))
        .await
        .expect_ok()
        .body;
    let input = scene.folder.path().join("rows.csv");
    std::fs::write(&input, &rows).expect("a file");
    let script = REFERENCE.replace("sys.stdin", &format!("open({:?}, newline='')", input));
    let reference = tokio::task::spawn_blocking(move || python::run(&["-c", &script], &[]));
    assert_eq!(result, reference.await.expect("Python"));
    std::fs::remove_file(&input).expect("the file");
    // A part of the result, as a client would resume a download.
    let part = scene.caller.http.get(&url).header("range", "bytes=5-8");
    assert_eq!(Reply::of(part).await.expect_ok().body, result[5..9]);
    let path = results[0]["path"].as_str().expect("a path");
    let listed = scene.caller.get(&format!("/uploads?path={path}")).await;
    let listed = listed.expect(StatusCode::OK);
    assert_eq!(listed[0]["derived_from"], upload["id"], "{listed:#}");
    assert_eq!(listed[0]["status"], "Uploaded", "{listed:#}");
    // Rules do not apply to results.
    assert!(scene.jobs(&listed[0]).await.is_empty());
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}

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
