//! Derived datasets: uploads that name the upload they were made from.

mod cascade;
mod cascade_refusals;
mod cascade_under_way;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::auth::tokens::issue_token;
use crate::support::app::{App, Setup, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

const SOURCE: &str = "/in/plays.csv";

/// The ids of a list of uploads.
fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("an array").iter().map(id).collect()
}

fn derived_from(source: &Value) -> String {
    format!("/uploads?derived_from={}", id(source))
}

#[tokio::test]
async fn derived_upload_names_its_source_in_answers_and_events() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    assert_eq!(source["derived_from"], Value::Null, "{source:#}");
    let derived = app.derive(&source, "/derived/plays.csv", "b").await;
    assert_eq!(derived["status"], "Uploaded", "{derived:#}");
    assert_eq!(derived["derived_from"], source["id"], "{derived:#}");
    assert_eq!(app.read(&derived).await, derived);
    let events = app.events(&derived).await;
    assert_eq!(
        events[0]["data"]["derived_from"], source["id"],
        "{events:#?}"
    );
    let events = app.events(&source).await;
    let data = events[0]["data"].as_object().expect("an object");
    assert!(!data.contains_key("derived_from"), "{events:#?}");
    let batch = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(batch[0]["derived_from"], source["id"], "{batch:#}");
}

#[tokio::test]
async fn caller_that_may_process_declares_its_upload_derived() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let body = json!({"path": "/x.csv", "derived_from": source["id"]});
    let derived = app.post("/uploads", body).await.expect(StatusCode::CREATED);
    assert_eq!(derived["derived_from"], source["id"], "{derived:#}");
    let batch = json!({"uploads": [
        {"path": "/y.csv", "derived_from": source["id"]},
        {"path": "/z.csv", "derived_from": uuid::Uuid::from_u128(7)},
    ]});
    let batch = app.post("/uploads/batch", batch).await;
    let batch = batch.expect(StatusCode::OK);
    assert_eq!(batch["results"][0]["status"], 201, "{batch:#}");
    assert_eq!(batch["results"][1]["status"], 422, "{batch:#}");
    let errors = &batch["results"][1]["problem"]["errors"];
    assert_eq!(errors[0]["pointer"], "/uploads/1/derived_from", "{batch:#}");
    let listed = app.get(&derived_from(&source)).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed:#}");
}

#[tokio::test]
async fn upload_is_declared_derived_only_with_the_scope_and_of_a_visible_source() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let declare = async |key: &str, path: &str| {
        let body = json!({"path": path, "derived_from": source["id"]});
        let request = app.http.post(format!("{}/uploads", app.url)).json(&body);
        let problem = Reply::of(request.bearer_auth(key)).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/derived_from",
            "{problem:#}"
        );
    };
    let gone = app.upload("/in/gone.csv", "a", json!({})).await;
    app.delete(&format!("/uploads/{}", id(&gone))).await;
    let open = app.create("/in/open.csv", json!({})).await;
    for source in [&gone, &open] {
        let body = json!({"path": "/y.csv", "derived_from": source["id"]});
        let refused = app.post("/uploads", body).await;
        refused.expect_problem(422, "invalid-request");
    }
    let writer = [Scope::UploadsWrite];
    let (_, writer) = app.issue_key("default", &writer, None).await;
    declare(&writer, "/x.csv").await;
    let processing = [Scope::UploadsWrite, Scope::ProcessingWrite];
    let (_, other) = app.issue_key("other", &processing, None).await;
    declare(&other, "/x.csv").await;
    let scopes = json!({"prefix": "/elsewhere/", "scopes": ["uploads:write", "processing:write"]});
    let confined = issue_token(&app, scopes).await;
    declare(&confined.key, "/elsewhere/x.csv").await;
    let listed = app.get("/uploads").await.json();
    assert_eq!(ids(&listed), [id(&open), id(&gone), id(&source)]);
}

#[tokio::test]
async fn list_by_source_returns_only_what_was_derived_from_it() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let other = app.upload("/in/other.csv", "a", json!({})).await;
    let first = app.derive(&source, "/derived/1.csv", "1").await;
    let second = app.derive(&source, "/derived/2.csv", "2").await;
    let pending = app.create_derived(&source, "/other/3.csv").await;
    let deeper = app.derive(&first, "/derived/deep.csv", "d").await;
    let all = app.get(&derived_from(&source)).await.expect(StatusCode::OK);
    assert_eq!(ids(&all), [id(&pending), id(&second), id(&first)]);
    for (filter, expected) in [
        ("&status=Uploaded", vec![&second, &first]),
        ("&status=Pending&status=Error", vec![&pending]),
        ("&prefix=/derived/", vec![&second, &first]),
        ("&path=/derived/1.csv", vec![&first]),
        ("&path=/derived/1.csv&status=Pending", vec![]),
        ("&prefix=/derived/&status=Deleted", vec![]),
    ] {
        let list = app.get(&format!("{}{filter}", derived_from(&source))).await;
        let list = list.expect(StatusCode::OK);
        let expected: Vec<_> = expected.into_iter().map(id).collect();
        assert_eq!(ids(&list), expected, "{filter}");
    }
    // Pages keep the filter.
    let page = app.get(&format!("{}&limit=2", derived_from(&source))).await;
    let link = page.header("link").expect("a next page").to_owned();
    assert_eq!(ids(&page.json()), [id(&pending), id(&second)]);
    let next = link.trim_start_matches('<').split('>').next();
    let next = app.get(next.expect("a path")).await;
    assert_eq!(next.header("link"), None);
    assert_eq!(ids(&next.json()), [id(&first)]);
    assert_eq!(
        ids(&app.get(&derived_from(&first)).await.json()),
        [id(&deeper)]
    );
    let none = app.get(&derived_from(&other)).await.expect(StatusCode::OK);
    assert_eq!(none, json!([]));

    let bad = app.get("/uploads?derived_from=plays.csv").await;
    let problem = bad.expect_problem(422, "invalid-request");
    assert_eq!(
        problem["errors"][0]["pointer"], "/derived_from",
        "{problem:#}"
    );
}

#[tokio::test]
async fn list_by_source_shows_only_what_the_caller_may_see() {
    let mut app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    app.derive(&source, "/derived/1.csv", "1").await;
    let visible = app.derive(&source, "/in/2.csv", "2").await;
    let confined = json!({"prefix": "/in/", "scopes": ["uploads:read"]});
    let confined = issue_token(&app, confined).await;
    let list = confined.get(&derived_from(&source)).await;
    assert_eq!(ids(&list.expect(StatusCode::OK)), [id(&visible)]);
    app.key = app.issue_key("acme", &Scope::ALL, None).await.1;
    let other_tenant = app.get(&derived_from(&source)).await;
    assert_eq!(other_tenant.expect(StatusCode::OK), json!([]));
}

#[tokio::test]
async fn moved_dataset_keeps_its_source_and_a_copy_has_none() {
    let app = App::start().await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    app.derive(&source, "/derived/1.csv", "1").await;
    let copy = "/datasets/derived/1.csv/action/copy";
    let copied = app.post(copy, json!({"to": "/copy.csv"})).await;
    let copied = copied.expect(StatusCode::CREATED);
    assert_eq!(copied["derived_from"], Value::Null, "{copied:#}");
    let moved = app
        .post(copy, json!({"to": "/moved.csv", "move": true}))
        .await;
    let moved = moved.expect(StatusCode::CREATED);
    assert_eq!(moved["derived_from"], source["id"], "{moved:#}");
}

/// Retention removes the row of a source as it removes any other, and what was derived from it
/// stays.
#[tokio::test]
async fn derived_dataset_outlives_the_row_of_its_source() {
    let app = Setup::new()
        .set("BROKER_RETENTION_UPLOADS_DAYS", 1)
        .start()
        .await;
    let source = app.upload(SOURCE, "a", json!({})).await;
    let derived = app.derive(&source, "/derived/1.csv", "1").await;
    app.delete(&format!("/uploads/{}", id(&source)))
        .await
        .expect_ok();
    assert_eq!(app.read(&derived).await["derived_from"], source["id"]);
    let waiting = "SELECT count(*) FROM events WHERE notify AND published_at IS NULL";
    let client = app.sql().await;
    eventually("every event is published", async || {
        let row = client.query_one(waiting, &[]).await.expect("a count");
        row.get::<_, i64>(0) == 0
    })
    .await;
    app.advance(TimeDelta::days(2));
    app.janitor().await;
    app.janitor().await;
    let gone = app.get(&format!("/uploads/{}", id(&source))).await;
    gone.expect_problem(404, "upload-not-found");
    let now = app.read(&derived).await;
    assert_eq!(now["derived_from"], Value::Null, "{now:#}");
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    // The history still says it.
    let events = app.events(&derived).await;
    assert_eq!(
        events[0]["data"]["derived_from"], source["id"],
        "{events:#?}"
    );
}
