//! The largest document that Textract reads, and larger ones.

use super::scene::Scene;
use super::service::{Document, GET};
use crate::support::app::id;
use crate::support::database;

#[tokio::test]
async fn three_thousand_pages_come_in_many_answers() {
    let scene = Scene::new().await;
    let lines: Vec<String> = (1..=3_000)
        .map(|page| format!("page number{page} of many"))
        .collect();
    let lines: Vec<[&str; 2]> = lines
        .iter()
        .map(|line| [line.as_str(), "and more"])
        .collect();
    let pages: Vec<&[&str]> = lines.iter().map(<[&str; 2]>::as_slice).collect();
    scene
        .textract
        .set_document("in/large.pdf", Document::new(&pages));
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/large.pdf").await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["report"]["text_pages"], 3_000, "{job:#}");
    // 9 blocks on each page.
    let results = scene.textract.calls(GET);
    let next = results.iter().filter(|get| get["NextToken"].is_string());
    assert_eq!(next.count(), 26, "{results:#?}");
    for page in [1, 1_777, 3_000] {
        let found = scene.caller.get(&format!("/search?q=number{page}")).await;
        let found = found.expect(reqwest::StatusCode::OK);
        assert_eq!(found[0]["page"], page, "{found:#}");
    }
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn document_over_five_hundred_megabytes_fails_without_a_call() {
    let scene = Scene::new().await;
    let upload = scene.upload("/in/a.pdf").await;
    let client = database::connect(scene.place.database.url()).await;
    let grown = format!(
        "UPDATE uploads SET object_size = 524288001 WHERE id = '{}'",
        id(&upload)
    );
    client.batch_execute(&grown).await.expect("an upload");
    let worker = scene.worker().spawn();
    scene.wait_for_status(&upload, "Error").await;
    let job = scene.job(&upload).await;
    let message = "Textract reads documents of at most 524288000 bytes and 3000 pages; \
                   this one has 524288001 bytes (pdf-too-large)";
    assert_eq!(job["message"], message, "{job:#}");
    assert_eq!(scene.textract.runs(), 0);
    worker.stop("TERM").await.ok();
}
