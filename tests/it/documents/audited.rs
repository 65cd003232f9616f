//! Reading and searching text is in the audit.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::store_text;
use crate::auth::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

#[tokio::test]
async fn reading_and_searching_text_is_recorded_with_the_path() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    store_text(&app, &upload, "default", &["apples"]).await;
    let path = format!("/uploads/{}/text", id(&upload));
    app.get(&path).await.expect(StatusCode::OK);
    let lines = app
        .request(Method::GET, &path)
        .header("accept", "application/x-ndjson");
    Reply::of(lines).await.expect_ok();
    for query in ["q=apples", "q=apples&prefix=/in/"] {
        app.get(&format!("/search?{query}"))
            .await
            .expect(StatusCode::OK);
    }
    let body = json!({"prefix": "/in/", "scopes": ["datasets:read"], "expires_in": 60});
    let confined = issue_token(&app, body).await;
    confined
        .get("/search?q=apples")
        .await
        .expect(StatusCode::OK);
    let mut rows = Vec::new();
    eventually("the records are there", async || {
        let found = app.get("/audit?action=dataset.downloaded&action=datasets.searched");
        let found = found.await.expect(StatusCode::OK);
        rows = found.as_array().expect("an array").clone();
        rows.len() >= 5
    })
    .await;
    // Newest first.
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("action"), text("path"), text("upload_id"))
    };
    let searched = |path: &str| {
        (
            "datasets.searched".to_owned(),
            path.to_owned(),
            String::new(),
        )
    };
    let read = (
        "dataset.downloaded".to_owned(),
        "/in/a.pdf".to_owned(),
        id(&upload).to_owned(),
    );
    let expected = [
        searched("/in/"),
        searched("/in/"),
        searched("/"),
        read.clone(),
        read,
    ];
    let found: Vec<_> = rows.iter().map(row).collect();
    assert_eq!(found, expected, "{rows:#?}");
    let all = json!(rows).to_string();
    assert!(!all.contains("apples"), "no query is recorded: {all}");
}
