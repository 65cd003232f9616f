//! Jobs: what other systems report about the processing of an upload, and how the upload follows.

mod claims;
mod ends;
mod leases;
mod lists;
mod refusals;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;

const PATH: &str = "/in/plays.csv";

/// Reports on the processing of an upload.
async fn report(app: &App, upload: &Value, body: Value) -> Reply {
    app.post(&format!("/uploads/{}/processing", id(upload)), body)
        .await
}

/// Claims the job of a processor on an upload, and returns the job.
async fn claim(app: &App, upload: &Value, processor: &str) -> Value {
    let body = json!({"processor": processor, "status": "Processing"});
    let answer = report(app, upload, body).await.expect(StatusCode::OK);
    answer["job"].clone()
}

/// Returns the status of the only job of an upload.
async fn job_of(app: &App, upload: &Value) -> Value {
    let jobs = app.get(&format!("/uploads/{}/jobs", id(upload))).await;
    let jobs = jobs.expect(StatusCode::OK);
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs:#}");
    jobs[0].clone()
}

#[tokio::test]
async fn upload_is_processing_once_claimed_and_processed_once_reported() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let answer = report(
        &app,
        &upload,
        json!({"status": "Processing", "progress": 0.25}),
    )
    .await
    .expect(StatusCode::OK);
    assert_eq!(answer["upload"]["status"], "Processing", "{answer:#}");
    let job = &answer["job"];
    assert_eq!(job["processor"], "default", "{job:#}");
    assert_eq!(job["status"], "Running", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(job["progress"], 0.25, "{job:#}");
    assert!(job["lease"].is_string(), "{job:#}");
    let body = json!({"status": "Processing", "lease": job["lease"], "progress": 0.5,
        "message": "half of it"});
    let renewed = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(renewed["job"]["progress"], 0.5, "{renewed:#}");
    assert_eq!(renewed["job"]["message"], "half of it", "{renewed:#}");
    assert_eq!(renewed["job"]["lease"], job["lease"], "{renewed:#}");
    let output = app.upload("/derived/plays.txt", "text", json!({})).await;
    let body = json!({"status": "Processed", "lease": job["lease"],
        "outputs": [{"kind": "text", "path": "/derived/plays.txt"}]});
    let ended = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(ended["upload"]["status"], "Processed", "{ended:#}");
    assert_eq!(ended["job"]["status"], "Succeeded", "{ended:#}");
    assert_eq!(ended["job"]["lease"], Value::Null, "{ended:#}");
    let kinds = app.event_types(&upload).await;
    assert_eq!(
        kinds,
        [
            "dataset.uploaded",
            "dataset.processing",
            "dataset.processed"
        ]
    );
    let results = app.get(&format!("/uploads/{}/results", id(&upload))).await;
    let results = results.expect(StatusCode::OK);
    assert_eq!(results[0]["kind"], "text", "{results:#}");
    assert_eq!(results[0]["processor"], "default", "{results:#}");
    assert_eq!(results[0]["path"], "/derived/plays.txt", "{results:#}");
    assert_eq!(results[0]["size"], 4, "{results:#}");
    assert_eq!(results[0]["etag"], output["object"]["etag"], "{results:#}");
    let url = results[0]["download_url"].as_str().expect("a URL");
    let bytes = Reply::of(app.http.get(url)).await.expect_ok().body;
    assert_eq!(bytes, "text");
}

#[tokio::test]
async fn system_that_never_claims_reports_the_end_at_once() {
    let app = App::start().await;
    for (reported, upload_status, last) in [
        ("Processed", "Processed", "dataset.processed"),
        ("Error", "Error", "dataset.processing-failed"),
    ] {
        let path = format!("/in/{reported}.csv");
        let upload = app.upload(&path, "bytes", json!({})).await;
        let body = json!({"status": reported, "message": "no header"});
        let answer = report(&app, &upload, body.clone())
            .await
            .expect(StatusCode::OK);
        assert_eq!(answer["upload"]["status"], upload_status, "{answer:#}");
        // The client repeats the request, because it did not get the answer.
        let again = report(&app, &upload, body).await.expect(StatusCode::OK);
        assert_eq!(again["job"], answer["job"], "{again:#}");
        let kinds = app.event_types(&upload).await;
        assert_eq!(kinds, ["dataset.uploaded", "dataset.processing", last]);
    }
}

#[tokio::test]
async fn upload_waits_for_its_last_job_and_fails_if_one_has_failed() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let (first, second) = (
        claim(&app, &upload, "first").await,
        claim(&app, &upload, "second").await,
    );
    let body = json!({"processor": "first", "status": "Error", "lease": first["lease"],
        "message": "row 3 is not UTF-8"});
    let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(answer["upload"]["status"], "Processing", "{answer:#}");
    let body = json!({"processor": "second", "status": "Processed", "lease": second["lease"]});
    let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
    let upload_now = &answer["upload"];
    assert_eq!(upload_now["status"], "Error", "{answer:#}");
    assert_eq!(
        upload_now["error"]["code"], "processing-failed",
        "{answer:#}"
    );
    let kinds = app.event_types(&upload).await;
    let last = kinds.last().map(String::as_str);
    assert_eq!(last, Some("dataset.processing-failed"), "{kinds:?}");
    let page = app.get("/problems/processing-failed").await;
    page.expect_ok();
}
