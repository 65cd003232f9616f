//! What a cascading delete refuses: it names the upload, and nothing is deleted.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::SOURCE;
use super::cascade::{cascade, statuses};
use crate::auth::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::reply::Reply;

/// A source with two derived datasets, the second of which is derived from the first.
async fn family(app: &App) -> [Value; 3] {
    let source = app.upload(SOURCE, "a", json!({})).await;
    let first = app.derive(&source, "/derived/1.csv", "1").await;
    let second = app.derive(&first, "/derived/2.csv", "2").await;
    [source, first, second]
}

#[tokio::test]
async fn drifted_derived_dataset_is_named_and_nothing_is_deleted() {
    let app = App::start().await;
    let [source, first, second] = family(&app).await;
    app.bucket
        .put("derived/2.csv", "from another program")
        .await;
    let all = [&source, &first, &second];
    // `force` applies to the source only.
    for force in ["", "&force=true", "&force=remove"] {
        let by_id = cascade(&source) + force;
        let by_path = format!("/datasets{SOURCE}?cascade=true{force}");
        for path in [by_id, by_path] {
            let problem = app.delete(&path).await;
            let problem = problem.expect_problem(409, "dataset-drifted");
            assert_eq!(problem["upload_id"], second["id"], "{problem:#}");
            let detail = problem["detail"].as_str().expect("a detail");
            for text in ["Nothing was deleted", "derived from this one", id(&second)] {
                assert!(detail.contains(text), "{text} in {detail}");
            }
        }
    }
    assert_eq!(statuses(&app, &all).await, ["Uploaded"; 3]);
    for upload in all {
        assert_eq!(app.event_types(upload).await, ["dataset.uploaded"]);
    }
    assert_eq!(app.bucket.keys().await.len(), 3);
    // What the problem says helps.
    let by_itself = format!("/uploads/{}?force=true", id(&second));
    app.delete(&by_itself).await.expect_ok();
    app.delete(&cascade(&source)).await.expect_ok();
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 3]);
    assert_eq!(
        app.bucket.get("derived/2.csv").await,
        b"from another program"
    );
}

#[tokio::test]
async fn derived_dataset_that_is_being_processed_is_named_and_nothing_is_deleted() {
    let app = App::start().await;
    let [source, first, second] = family(&app).await;
    let processing = format!(
        "UPDATE uploads SET status = 'Processing' WHERE id = '{}'",
        id(&first)
    );
    app.sql()
        .await
        .batch_execute(&processing)
        .await
        .expect("a row");
    let problem = app.delete(&cascade(&source)).await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_id"], first["id"], "{problem:#}");
    assert_eq!(problem["upload_status"], "Processing", "{problem:#}");
    let expected = ["Uploaded", "Processing", "Uploaded"];
    assert_eq!(statuses(&app, &[&source, &first, &second]).await, expected);
}

#[tokio::test]
async fn source_that_cannot_be_deleted_keeps_what_was_derived_from_it() {
    let app = App::start().await;
    let [source, first, second] = family(&app).await;
    app.bucket.put("in/plays.csv", "from another program").await;
    let all = [&source, &first, &second];
    let problem = app.delete(&cascade(&source)).await;
    let problem = problem.expect_problem(409, "dataset-drifted");
    assert_eq!(problem["upload_id"], source["id"], "{problem:#}");
    assert_eq!(statuses(&app, &all).await, ["Uploaded"; 3]);
    // Here, `force` applies.
    app.delete(&(cascade(&source) + "&force=true"))
        .await
        .expect_ok();
    assert_eq!(statuses(&app, &all).await, ["Deleted"; 3]);
    assert_eq!(app.bucket.keys().await, ["in/plays.csv"]);

    let old = app.upload("/x.csv", "old", json!({})).await;
    let of_old = app.derive(&old, "/derived/x.csv", "x").await;
    app.upload("/x.csv", "new", json!({"overwrite": true}))
        .await;
    let problem = app.delete(&cascade(&old)).await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Superseded", "{problem:#}");
    assert_eq!(app.read(&of_old).await["status"], "Uploaded");
}

/// A credential for a folder deletes nothing outside of it, and learns nothing about it.
#[tokio::test]
async fn confined_caller_cannot_delete_what_was_derived_outside_its_folder() {
    let app = App::start().await;
    let [source, first, second] = family(&app).await;
    let inside = app.derive(&source, "/in/3.csv", "3").await;
    let scopes = ["uploads:write", "datasets:delete"];
    let confined = issue_token(&app, json!({"prefix": "/in/", "scopes": scopes})).await;
    let reply = Reply::of(confined.request(Method::DELETE, &cascade(&source))).await;
    let problem = reply.expect_problem(403, "outside-prefix");
    for hidden in [id(&first), id(&second), "/derived/"] {
        assert!(!problem.to_string().contains(hidden), "{problem:#}");
    }
    let all = [&source, &first, &second, &inside];
    assert_eq!(statuses(&app, &all).await, ["Uploaded"; 4]);
    let plain = format!("/uploads/{}", id(&source));
    let reply = Reply::of(confined.request(Method::DELETE, &plain)).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(statuses(&app, &all[1..]).await, ["Uploaded"; 3]);
}

#[tokio::test]
async fn cascade_rejects_bad_values_and_needs_the_scope() {
    let mut app = App::start().await;
    let [source, ..] = family(&app).await;
    for bad in ["yes", "", "1"] {
        let path = format!("/uploads/{}?cascade={bad}", id(&source));
        let problem = app.delete(&path).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/cascade", "{problem:#}");
    }
    let scopes = upload_broker::domain::principal::Scope::ALL;
    let owner = app.key.clone();
    app.key = app.issue_key("acme", &scopes, None).await.1;
    let stranger = app.delete(&cascade(&source)).await;
    stranger.expect_problem(404, "upload-not-found");
    app.key = owner;
    assert_eq!(app.read(&source).await["status"], "Uploaded");
}
