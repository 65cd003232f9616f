//! What Textract answers, and what becomes of it.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::scene::Scene;
use super::service::{Document, End, GET, START};
use crate::support::app::id;
use crate::support::reply::Reply;

#[tokio::test]
async fn document_is_searchable_after_textract_has_read_it_without_any_program() {
    let scene = Scene::new().await;
    scene.textract.set_document(
        "in/report.pdf",
        Document::new(&[
            &["Annual report", "of the harbour"],
            &[],
            &["Tides and\u{c}currents", "\u{fb01}nally"],
        ]),
    );
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/report.pdf").await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 1, "waiting is no attempt: {job:#}");
    for (field, expected) in [
        ("engine", json!("textract")),
        ("pages", json!(3)),
        ("text_pages", json!(2)),
        ("missing_pages", json!(0)),
        ("partial", json!(false)),
        ("scanned", json!(false)),
    ] {
        assert_eq!(job["report"][field], expected, "{field}: {job:#}");
    }

    let text = scene.text(&upload, "").await.expect(StatusCode::OK);
    assert_eq!(text["pages"], 3, "{text:#}");
    let page = scene.text(&upload, "?page=3").await.expect(StatusCode::OK);
    let lines = page["text"][0]["text"].as_str().expect("text");
    assert_eq!(lines, "Tides and currents\nfinally\n", "{page:#}");
    let found = scene.caller.get("/search?q=currents").await;
    let found = found.expect(StatusCode::OK);
    assert_eq!(found[0]["path"], "/in/report.pdf", "{found:#}");
    assert_eq!(found[0]["page"], 3, "{found:#}");

    let output = job["outputs"][0]["path"].as_str().expect("a path");
    let whole = scene.place.bucket.get(&output[1..]).await;
    let whole = String::from_utf8(whole).expect("UTF-8");
    let expected =
        "Annual report\nof the harbour\n\u{c}\u{c}Tides and currents\n\u{fb01}nally\n\u{c}";
    assert_eq!(whole, expected);

    let starts = scene.textract.calls(START);
    let object = &starts[0]["DocumentLocation"]["S3Object"];
    let bucket = &*scene.place.bucket.name;
    assert_eq!(object, &json!({"Bucket": bucket, "Name": "in/report.pdf"}));
    assert_eq!(scene.textract.runs(), 1);
    assert_eq!(scene.detections().await, 0, "nothing remains of the work");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn version_of_the_proof_is_read_where_the_bucket_keeps_versions() {
    let scene = Scene::new().await;
    scene.place.bucket.keep_versions().await;
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene.wait_for_status(&upload, "Processed").await;
    let starts = scene.textract.calls(START);
    let version = &starts[0]["DocumentLocation"]["S3Object"]["Version"];
    let head = scene
        .place
        .bucket
        .head("in/a.pdf")
        .await
        .expect("the object");
    assert_eq!(version.as_str(), head.version_id(), "{starts:#?}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn pages_that_cannot_be_read_are_reported_and_the_others_keep_their_numbers() {
    let scene = Scene::new().await;
    let document = Document::new(&[&["first"], &["second"], &["third"], &["fourth"]]);
    scene
        .textract
        .set_document("in/a.pdf", document.without(&[2, 3]));
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["report"]["partial"], true, "{job:#}");
    assert_eq!(job["report"]["missing_pages"], 2, "{job:#}");
    assert_eq!(job["report"]["pages"], 4, "{job:#}");
    let found = scene.caller.get("/search?q=fourth").await;
    let found = found.expect(StatusCode::OK);
    assert_eq!(found[0]["page"], 4, "{found:#}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn failed_run_fails_the_job_and_a_retry_starts_another_run() {
    let scene = Scene::new().await;
    let document = Document::new(&[&["text"]]);
    scene
        .textract
        .set_document("in/a.pdf", document.clone().ending(End::Failed));
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene.wait_for_status(&upload, "Error").await;
    let job = scene.job(&upload).await;
    let message = "Textract cannot read the document: INVALID_DOCUMENT (textract-failed)";
    assert_eq!(job["message"], message, "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");

    scene.textract.set_document("in/a.pdf", document);
    let retry = format!("/uploads/{}/processing/retry", id(&upload));
    scene.caller.post_empty(&retry).await.expect_ok();
    scene.wait_for_status(&upload, "Processed").await;
    assert_eq!(scene.textract.runs(), 2);
    let tokens: Vec<_> = scene.textract.calls(START);
    assert_ne!(
        tokens[0]["ClientRequestToken"],
        tokens[1]["ClientRequestToken"]
    );
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn results_that_are_no_longer_kept_lead_to_another_run() {
    let scene = Scene::new().await;
    scene.textract.hold_runs();
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    scene.textract.forget_runs();
    let job = scene
        .wait_for_message(&upload, "InvalidJobIdException")
        .await;
    assert_eq!(job["status"], "Queued", "{job:#}");
    scene.textract.finish_runs().await;
    scene.make_due(&upload).await;
    scene.wait_for_status(&upload, "Processed").await;
    assert_eq!(scene.textract.runs(), 2);
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn dataset_that_another_program_replaces_meanwhile_has_no_text() {
    let scene = Scene::new().await;
    scene.textract.hold_runs();
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    scene.place.bucket.put("in/a.pdf", "%PDF-1.7 another").await;
    scene.textract.finish_runs().await;
    scene
        .wait_for_message(&upload, "The dataset was replaced")
        .await;
    scene.make_due(&upload).await;
    scene
        .wait_for_message(&upload, "The dataset was replaced.")
        .await;
    assert_eq!(scene.textract.runs(), 1, "no other run is paid for");
    scene
        .text(&upload, "")
        .await
        .expect_problem(409, "text-missing");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn work_of_textract_is_dropped_when_the_dataset_is_superseded() {
    let scene = Scene::new().await;
    scene.textract.hold_runs();
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    assert_eq!(scene.detections().await, 1);
    let body = json!({"path": "/in/a.pdf", "overwrite": true});
    let session = scene.caller.request(Method::POST, "/uploads").json(&body);
    let session = Reply::of(session).await.expect(StatusCode::CREATED);
    scene.caller.put(&session, "%PDF-1.7 new").await.expect_ok();
    let acknowledged = scene.caller.acknowledge(&session).await;
    acknowledged.expect(StatusCode::OK);
    assert_eq!(scene.job(&upload).await["status"], "Cancelled");
    scene
        .wait_for_message(&session, "Textract reads the document")
        .await;
    assert_eq!(scene.detections().await, 1, "only that of the new dataset");
    let asked = scene.textract.calls(GET).len();
    scene.textract.finish_runs().await;
    scene.wait_for_status(&session, "Processed").await;
    let first = format!("{:064x}", 1);
    let later = scene.textract.calls(GET).into_iter().skip(asked);
    assert!(later.into_iter().all(|get| get["JobId"] != first.as_str()));
    worker.stop("TERM").await.ok();
}
