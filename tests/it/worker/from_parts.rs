//! From a file on a disk to the result of its job, through everything in between.

use reqwest::StatusCode;

use super::queue::Queued;
use super::reference::aggregate_plays;
use super::results::plays;
use crate::support::app::id;
use crate::support::reply::Reply;

/// The size of the parts of the result, as a client downloads it.
const RANGE: usize = 20_000;

#[tokio::test]
async fn file_in_parts_is_processed_by_a_worker_that_its_event_wakes() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let worker = queued.worker("csv-aggregate").spawn();
    let rows = plays(500_000);
    let file = scene.folder.path().join("year.csv");
    std::fs::write(&file, &rows).expect("a file");
    let shown = file.to_str().expect("UTF-8");
    let put = ["put", "--part-size", "5", shown, "/plays/year.csv"];
    scene.client(&put).await.ok();
    std::fs::remove_file(&file).expect("the file");
    let uploads = scene.caller.get("/uploads?path=/plays/year.csv").await;
    let upload = uploads.expect(StatusCode::OK)[0].clone();
    let etag = upload["object"]["etag"].as_str().expect("an ETag");
    assert!(etag.contains('-'), "sent in parts: {upload:#}");

    scene.wait_for_status(&upload, "Processed").await;
    let results = format!("/uploads/{}/results", id(&upload));
    let results = scene.caller.get(&results).await.expect(StatusCode::OK);
    let url = results[0]["download_url"].as_str().expect("a URL");
    let size = results[0]["size"].as_u64().expect("a size");
    let size = usize::try_from(size).expect("a size");
    let mut result = String::new();
    while result.len() < size {
        let range = format!("bytes={}-{}", result.len(), result.len() + RANGE - 1);
        let part = scene.caller.http.get(url).header("range", range);
        result.push_str(&Reply::of(part).await.expect_ok().body);
    }
    let reference = aggregate_plays(scene.folder.path(), &rows).await;
    assert!(
        result == reference,
        "{} and {} bytes",
        result.len(),
        reference.len()
    );
    queued.wait_for_empty_queue().await;
    worker.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}
