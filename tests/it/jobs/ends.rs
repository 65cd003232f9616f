//! How jobs end when their upload does, and how failed ones are tried again.

use reqwest::StatusCode;
use serde_json::json;

use super::{PATH, claim, job_of, report};
use crate::support::app::{App, id};

#[tokio::test]
async fn newer_upload_at_the_path_supersedes_and_cancels_the_job() {
    let app = App::start().await;
    let upload = app.upload(PATH, "old", json!({})).await;
    let job = claim(&app, &upload, "default").await;
    let newer = app.upload(PATH, "new", json!({"overwrite": true})).await;
    assert_eq!(app.read(&upload).await["status"], "Superseded");
    assert_eq!(app.read(&newer).await["status"], "Uploaded");
    let cancelled = job_of(&app, &upload).await;
    assert_eq!(cancelled["status"], "Cancelled", "{cancelled:#}");
    let body = json!({"status": "Processed", "lease": job["lease"]});
    report(&app, &upload, body)
        .await
        .expect_problem(409, "lease-lost");
    let late = report(&app, &upload, json!({"status": "Processed"})).await;
    late.expect_problem(409, "invalid-status");
    let kinds = app.event_types(&upload).await;
    let last = kinds.last().map(String::as_str);
    assert_eq!(last, Some("dataset.superseded"), "{kinds:?}");
}

#[tokio::test]
async fn processing_upload_cannot_be_deleted_and_processed_one_can() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let job = claim(&app, &upload, "default").await;
    let path = format!("/uploads/{}", id(&upload));
    let problem = app
        .delete(&path)
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Processing", "{problem:#}");
    let body = json!({"status": "Processed", "lease": job["lease"]});
    report(&app, &upload, body).await.expect(StatusCode::OK);
    let reply = app.delete(&path).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    let late = report(
        &app,
        &upload,
        json!({"processor": "late", "status": "Processing"}),
    )
    .await;
    late.expect_problem(409, "invalid-status");
}

#[tokio::test]
async fn retry_queues_failed_jobs_with_all_attempts() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let retry = format!("/uploads/{}/processing/retry", id(&upload));
    app.post_empty(&retry)
        .await
        .expect_problem(409, "invalid-status");
    let body = json!({"status": "Error", "message": "no header"});
    let failed = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(
        failed["upload"]["error"]["detail"], "no header",
        "{failed:#}"
    );
    let other = app.post(&retry, json!({"processor": "other"})).await;
    other.expect_problem(409, "invalid-status");
    let answer = app.post_empty(&retry).await.expect(StatusCode::OK);
    assert_eq!(answer["upload"]["status"], "Processing", "{answer:#}");
    assert!(answer["upload"]["error"].is_null(), "{answer:#}");
    assert_eq!(answer["jobs"][0]["status"], "Queued", "{answer:#}");
    let job = claim(&app, &upload, "default").await;
    assert_eq!(job["attempt"], 1, "{job:#}");
    let body = json!({"status": "Processed", "lease": job["lease"]});
    let answer = report(&app, &upload, body).await.expect(StatusCode::OK);
    assert_eq!(answer["upload"]["status"], "Processed", "{answer:#}");
    let kinds = app.event_types(&upload).await;
    assert_eq!(
        kinds,
        [
            "dataset.uploaded",
            "dataset.processing",
            "dataset.processing-failed",
            "dataset.processing",
            "dataset.processed"
        ]
    );
}

#[tokio::test]
async fn retry_is_refused_once_a_newer_dataset_is_at_the_path() {
    let app = App::start().await;
    let upload = app.upload(PATH, "old", json!({})).await;
    let body = json!({"status": "Error"});
    report(&app, &upload, body).await.expect(StatusCode::OK);
    app.upload(PATH, "new", json!({"overwrite": true})).await;
    let retry = format!("/uploads/{}/processing/retry", id(&upload));
    let problem = app
        .post_empty(&retry)
        .await
        .expect_problem(409, "invalid-status");
    assert!(
        problem["detail"]
            .as_str()
            .expect("a text")
            .contains("newer"),
        "{problem:#}"
    );
    let job = job_of(&app, &upload).await;
    assert_eq!(job["status"], "Failed", "nothing was changed: {job:#}");
}
