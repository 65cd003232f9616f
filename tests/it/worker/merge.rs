//! A dataset in many files: a job for each file, and one that merges their results.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::reference::aggregate_plays;
use super::scene::Scene;
use crate::support::app::id;
use crate::support::observe::{TIMEOUT, within};
use crate::support::reply::Reply;

const OPTIONS: &str = r#"{"group_by": ["Song", "Date"],
    "aggregates": [{"function": "sum", "column": "Number of Plays"}]}"#;
const PLAN: &str = "application/vnd.upload-broker.plan+json";

/// Plays that differ from file to file, with songs and days in common.
fn plays(file: u64) -> String {
    let mut rows = "Song,Date,Number of Plays\n".to_owned();
    for number in 0_u64..2_000 {
        let mixed = (file * 2_000 + number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (song, day, plays) = (mixed % 997, mixed % 31 + 1, mixed % 1_000);
        rows.push_str(&format!("\"Song, {song}\",2025-03-{day:02},{plays}\n"));
    }
    rows
}

impl Scene {
    /// Writes a plan for the datasets below a prefix with the command-line client.
    async fn plan(&self, options: &str, prefix: &str) -> Value {
        let file = self.folder.path().join("options.json");
        std::fs::write(&file, options).expect("a file of options");
        let shown = file.to_str().expect("UTF-8");
        let ended = self.client(&["plan", "--options", shown, prefix]).await;
        std::fs::remove_file(&file).expect("the file");
        serde_json::from_str(&ended.ok().out).expect("a plan")
    }

    /// Uploads a document as a plan.
    async fn upload_plan(&self, path: &str, plan: &Value) -> Value {
        let text = plan.to_string();
        let body = json!({"path": path, "size": text.len(), "content_type": PLAN});
        let request = self.caller.request(reqwest::Method::POST, "/uploads");
        let session = Reply::of(request.json(&body)).await;
        let session = session.expect(StatusCode::CREATED);
        self.caller.put(&session, &text).await.expect_ok();
        let acknowledged = self.caller.acknowledge(&session).await;
        acknowledged.expect(StatusCode::OK)
    }

    async fn wait_for_error(&self, upload: &Value) -> String {
        self.wait_for_status(upload, "Error").await;
        let now = self.caller.get(&format!("/uploads/{}", id(upload))).await;
        let now = now.expect(StatusCode::OK);
        now["error"]["detail"]
            .as_str()
            .expect("a detail")
            .to_owned()
    }

    async fn only_result(&self, upload: &Value) -> String {
        let results = format!("/uploads/{}/results", id(upload));
        let results = self.caller.get(&results).await.expect(StatusCode::OK);
        assert_eq!(results.as_array().map(Vec::len), Some(1), "{results:#}");
        let url = results[0]["download_url"].as_str().expect("a URL");
        Reply::of(self.caller.http.get(url)).await.expect_ok().body
    }
}

#[tokio::test]
async fn results_of_thirty_two_files_are_merged_by_four_workers() {
    let scene = Scene::new().await;
    let mut all = "Song,Date,Number of Plays\n".to_owned();
    for file in 0..32 {
        let rows = plays(file);
        let path = format!("/many/{file:02}.csv");
        scene.caller.upload(&path, &rows).await;
        all.push_str(rows.split_once('\n').expect("a header").1);
    }
    let plan = scene.plan(OPTIONS, "/many/").await;
    assert_eq!(
        plan["inputs"].as_array().map(Vec::len),
        Some(32),
        "{plan:#}"
    );
    let upload = scene.upload_plan("/plans/many.json", &plan).await;
    let workers: Vec<_> = (0..4)
        .map(|_| scene.worker("csv-aggregate,csv-merge").spawn())
        .collect();
    within(TIMEOUT * 6, "the plan is carried out", async || {
        scene.status(&upload).await == "Processed"
    })
    .await;
    let merged = scene.only_result(&upload).await;
    assert_eq!(merged, aggregate_plays(scene.folder.path(), &all).await);

    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 1, "waiting does not count: {jobs:#?}");
    let planned = &jobs[0]["report"]["planned"];
    let expected = json!({"inputs": 32, "rows": 64_000, "bad_rows": 0});
    assert_eq!(planned, &expected, "{jobs:#?}");
    let mut started = 0;
    for worker in workers {
        let ended = worker.stop("TERM").await.ok();
        started += ended.err.matches(": csv-aggregate starts").count();
    }
    assert_eq!(started, 32, "each file is processed once");
    scene.assert_no_temporary_file();
}

#[tokio::test]
async fn plan_whose_input_was_replaced_fails_and_names_it() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate,csv-merge").spawn();
    scene.caller.upload("/some/1.csv", &plays(1)).await;
    scene.caller.upload("/some/2.csv", &plays(2)).await;
    let plan = scene.plan(OPTIONS, "/some/").await;
    let deleted = format!("/datasets{}", "/some/2.csv");
    let deleted = scene.caller.request(reqwest::Method::DELETE, &deleted);
    Reply::of(deleted).await.expect_ok();
    scene.caller.upload("/some/2.csv", &plays(3)).await;
    let upload = scene.upload_plan("/plans/some.json", &plan).await;
    let detail = scene.wait_for_error(&upload).await;
    assert!(detail.contains("/some/2.csv was replaced"), "{detail}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn plan_fails_with_the_reason_of_a_failed_input_and_runs_after_retries() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate,csv-merge").spawn();
    scene.caller.upload("/some/1.csv", &plays(1)).await;
    let bad = scene.caller.upload("/some/2.csv", "Title\nx\n").await;
    let plan = scene.plan(OPTIONS, "/some/").await;
    let upload = scene.upload_plan("/plans/some.json", &plan).await;
    let detail = scene.wait_for_error(&upload).await;
    assert!(detail.contains("/some/2.csv failed"), "{detail}");
    assert!(detail.contains("Song"), "{detail}");
    assert_eq!(scene.status(&bad).await, "Error");
    // Without the bad file, the results that exist are merged.
    let mut smaller = plan.clone();
    smaller["inputs"].as_array_mut().expect("inputs").pop();
    let upload = scene.upload_plan("/plans/one.json", &smaller).await;
    scene.wait_for_status(&upload, "Processed").await;
    assert!(scene.only_result(&upload).await.starts_with("Song,Date,"));
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn plan_that_cannot_be_carried_out_fails_with_the_reason() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate,csv-merge,trial").spawn();
    let one = scene.caller.upload("/plays/1.csv", &plays(1)).await;
    scene.wait_for_status(&one, "Processed").await;
    let count = r#"{"group_by": ["Song"], "aggregates": [{"function": "count"}]}"#;
    let other_options = scene.plan(count, "/plays/").await;
    let mut unknown = other_options.clone();
    unknown["inputs"][0]["upload_id"] = json!(uuid::Uuid::from_u128(7));
    let foreign = scene.other_tenant().await;
    let foreign = foreign.upload("/plays/1.csv", &plays(1)).await;
    let mut of_other_tenant = other_options.clone();
    of_other_tenant["inputs"][0]["upload_id"] = foreign["id"].clone();
    of_other_tenant["inputs"][0]["etag"] = foreign["object"]["etag"].clone();
    let derived = format!("/uploads?derived_from={}", id(&one));
    let derived = scene.caller.get(&derived).await.expect(StatusCode::OK);
    let failed = scene.caller.upload("/abort/1.csv", &plays(1)).await;
    scene.wait_for_status(&failed, "Error").await;
    let with_input = |upload: &Value| {
        let mut plan = other_options.clone();
        for (name, value) in [("upload_id", &upload["id"]), ("path", &upload["path"])] {
            plan["inputs"][0][name] = value.clone();
        }
        plan["inputs"][0]["etag"] = upload["object"]["etag"].clone();
        plan
    };
    let (of_result, of_failed) = (with_input(&derived[0]), with_input(&failed));
    let mut empty = other_options.clone();
    empty["inputs"] = json!([]);
    for (name, plan, expected) in [
        ("options", &other_options, "with other options"),
        ("unknown", &unknown, "There is no upload"),
        ("foreign", &of_other_tenant, "There is no upload"),
        ("result", &of_result, "is itself a result"),
        (
            "failed",
            &of_failed,
            "has failed before csv-aggregate was queued",
        ),
        ("empty", &empty, "0 inputs"),
        ("text", &json!("text"), "not a processing plan"),
    ] {
        let path = format!("/plans/{name}.json");
        let upload = scene.upload_plan(&path, plan).await;
        let detail = scene.wait_for_error(&upload).await;
        assert!(detail.contains(expected), "{name}: {detail}");
        let jobs = scene.jobs(&upload).await;
        assert_eq!(jobs[0]["attempt"], 1, "{jobs:#?}");
    }
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn plan_is_not_written_with_what_was_not_uploaded() {
    let scene = Scene::new().await;
    let file = scene.folder.path().join("options.json");
    std::fs::write(&file, OPTIONS).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let bucket = &scene.place.bucket;
    bucket.put("foreign/1.csv", "a").await;
    scene.caller.upload("/drifted/1.csv", "a").await;
    bucket.put("drifted/1.csv", "other").await;
    for (prefix, expected) in [
        ("/none/", "no dataset path starts with /none/"),
        ("/foreign/", "/foreign/1.csv belongs to no upload"),
        ("/drifted/", "/drifted/1.csv is not what was uploaded"),
    ] {
        let refused = scene.client(&["plan", "--options", file, prefix]).await;
        assert_ne!(refused.status.code(), Some(0), "{refused:#?}");
        assert!(refused.err.contains(expected), "{refused:#?}");
        assert_eq!(refused.out, "", "{refused:#?}");
    }
    let unreadable = ["plan", "--options", "/does/not/exist.json", "/drifted/"];
    let unreadable = scene.client(&unreadable).await;
    assert!(
        unreadable.err.contains("/does/not/exist.json"),
        "{unreadable:#?}"
    );
}
