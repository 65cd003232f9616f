//! The results of jobs.

use reqwest::StatusCode;

use super::reference::aggregate_plays;
use super::scene::Scene;
use crate::support::app::id;
use crate::support::reply::Reply;

/// Plays of a few songs on a few days, in no particular order.
pub(super) fn plays(count: u64) -> String {
    let mut rows = "Song,Date,Number of Plays\n".to_owned();
    for number in 0..count {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (song, day, plays) = (mixed % 97, mixed % 31 + 1, mixed % 1_000);
        rows.push_str(&format!("\"Song, {song}\",2025-03-{day:02},{plays}\n"));
    }
    rows
}

#[tokio::test]
async fn song_plays_are_aggregated_as_by_another_program() {
    let scene = Scene::new().await;
    let worker = scene.worker("csv-aggregate").spawn();
    let rows = plays(20_000);
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
    let reference = aggregate_plays(scene.folder.path(), &rows).await;
    assert_eq!(result, reference);
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
async fn each_result_of_a_job_is_a_dataset_of_its_own() {
    let scene = Scene::new().await;
    let worker = scene.worker("trial").spawn();
    let upload = scene.caller.upload("/named/a.bin", "bytes").await;
    scene.wait_for_status(&upload, "Processed").await;
    let results = format!("/uploads/{}/results", id(&upload));
    let results = scene.caller.get(&results).await.expect(StatusCode::OK);
    let paths = ["small", "large"].map(|name| {
        let id = id(&upload);
        format!("/derived/{id}/trial-{name}.txt")
    });
    for (number, name) in ["small", "large"].into_iter().enumerate() {
        let result = &results[number];
        assert_eq!(result["path"], paths[number], "{results:#}");
        assert_eq!(result["kind"], "note", "{results:#}");
        let url = result["download_url"].as_str().expect("a URL");
        let bytes = Reply::of(scene.caller.http.get(url)).await.expect_ok().body;
        assert_eq!(bytes, name);
        let listed = scene
            .caller
            .get(&format!("/uploads?path={}", paths[number]))
            .await;
        let listed = listed.expect(StatusCode::OK);
        assert_eq!(listed[0]["status"], "Uploaded", "{listed:#}");
        let shown = listed[0]["name"].as_str().expect("a name");
        assert!(shown.ends_with(&format!("(trial, {name})")), "{listed:#}");
    }
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}
