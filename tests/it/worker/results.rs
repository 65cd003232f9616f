//! A job may have several results.

use reqwest::StatusCode;

use super::Scene;
use crate::support::app::id;
use crate::support::reply::Reply;

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
