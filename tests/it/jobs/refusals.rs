//! Reports that are refused, and change nothing.

use reqwest::StatusCode;
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::{PATH, claim, job_of, report};
use crate::support::app::{App, id};
use crate::support::reply::Reply;

#[tokio::test]
async fn invalid_fields_are_named_and_nothing_is_created() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    for (body, pointer) in [
        (json!({}), "/status"),
        (json!({"status": "Done"}), "/status"),
        (
            json!({"status": "Processing", "processor": "CSV"}),
            "/processor",
        ),
        (
            json!({"status": "Processing", "lease_seconds": 4}),
            "/lease_seconds",
        ),
        (
            json!({"status": "Processing", "lease_seconds": 3_601}),
            "/lease_seconds",
        ),
        (
            json!({"status": "Processing", "progress": 1.5}),
            "/progress",
        ),
        (json!({"status": "Processing", "lease": "mine"}), "/lease"),
        (json!({"status": "Queued"}), "/lease"),
        (
            json!({"status": "Processing", "outputs": [{"kind": "a", "path": "/a"}]}),
            "/outputs",
        ),
        (
            json!({"status": "Processed", "outputs": [{"kind": "", "path": "/a"}]}),
            "/outputs/0/kind",
        ),
        (
            json!({"status": "Processed", "outputs": [{"kind": "a", "path": "/a/../b"}]}),
            "/outputs/0/path",
        ),
    ] {
        let reply = report(&app, &upload, body.clone()).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem:#}"
        );
    }
    let jobs = app.get(&format!("/uploads/{}/jobs", id(&upload))).await;
    assert_eq!(jobs.expect(StatusCode::OK), json!([]));
    assert_eq!(app.read(&upload).await["status"], "Uploaded");
}

#[tokio::test]
async fn outputs_that_do_not_exist_are_named_and_the_job_goes_on() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let job = claim(&app, &upload, "default").await;
    app.upload("/derived/a.txt", "text", json!({})).await;
    let body = json!({"status": "Processed", "lease": job["lease"], "outputs": [
        {"kind": "text", "path": "/derived/a.txt"}, {"kind": "text", "path": "/derived/b.txt"}]});
    let problem = report(&app, &upload, body)
        .await
        .expect_problem(422, "output-missing");
    assert_eq!(
        problem["errors"][0]["pointer"], "/outputs/1/path",
        "{problem:#}"
    );
    assert_eq!(job_of(&app, &upload).await["status"], "Running");
}

#[tokio::test]
async fn unknown_and_unready_uploads_are_refused() {
    let app = App::start().await;
    let unknown = json!({"id": "01955114-3a40-7c3e-9d2b-8f1f5f0c2a11"});
    let reply = report(&app, &unknown, json!({"status": "Processing"})).await;
    reply.expect_problem(404, "upload-not-found");
    let pending = app.create("/in/pending.csv", json!({})).await;
    for status in ["Processing", "Processed", "Error"] {
        let reply = report(&app, &pending, json!({"status": status})).await;
        let problem = reply.expect_problem(409, "invalid-status");
        assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    }
}

#[tokio::test]
async fn jobs_of_another_tenant_do_not_exist_and_the_scope_is_required() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    claim(&app, &upload, "default").await;
    let (_, other) = app.issue_key("acme", &Scope::ALL, None).await;
    let request = |method: reqwest::Method, path: String, key: &str| {
        app.http
            .request(method, format!("{}{path}", app.url))
            .bearer_auth(key)
    };
    let (get, post) = (reqwest::Method::GET, reqwest::Method::POST);
    for path in ["jobs", "results"] {
        let path = format!("/uploads/{}/{path}", id(&upload));
        let reply = Reply::of(request(get.clone(), path, &other)).await;
        reply.expect_problem(404, "upload-not-found");
    }
    for path in ["processing/retry", "processing"] {
        let path = format!("/uploads/{}/{path}", id(&upload));
        let body = match path.ends_with("retry") {
            true => json!({}),
            false => json!({"status": "Processed"}),
        };
        let reply = Reply::of(request(post.clone(), path, &other).json(&body)).await;
        reply.expect_problem(404, "upload-not-found");
    }
    let listed = Reply::of(request(get, "/jobs".to_owned(), &other)).await;
    assert_eq!(listed.expect(StatusCode::OK), json!([]));
    let claimed = Reply::of(request(post.clone(), "/jobs/claim".to_owned(), &other)).await;
    assert_eq!(claimed.expect(StatusCode::OK), json!([]));
    let scopes = [Scope::UploadsRead, Scope::UploadsWrite, Scope::DatasetsRead];
    let (_, reader) = app.issue_key("default", &scopes, None).await;
    for path in [
        "/jobs/claim".to_owned(),
        format!("/uploads/{}/processing", id(&upload)),
    ] {
        let body = json!({"status": "Processing"});
        let reply = Reply::of(request(post.clone(), path, &reader).json(&body)).await;
        reply.expect_problem(403, "insufficient-scope");
    }
}
