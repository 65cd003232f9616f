//! Search and text of one tenant or folder do not reach another one.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use uuid::Uuid;

use crate::auth::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::serving::Caller;

/// Writes the text of an upload to Postgres as a worker does, which needs no PDF.
async fn store_text(app: &App, upload: &Value, tenant: &str, text: &str) {
    let client = app.sql().await;
    let (document, upload) = (Uuid::new_v4(), id(upload));
    let sql = format!(
        "INSERT INTO documents (id, upload_id, pages, created_at)
         VALUES ('{document}', '{upload}', 1, now())"
    );
    client.batch_execute(&sql).await.expect("a document");
    let sql = format!(
        "INSERT INTO document_pages (document_id, page, tenant, text)
         VALUES ('{document}', 1, $1, $2)"
    );
    client
        .execute(&sql, &[&tenant, &text])
        .await
        .expect("a page");
}

fn paths(hits: &Value) -> Vec<&str> {
    let hits = hits.as_array().expect("an array").iter();
    hits.map(|hit| hit["path"].as_str().expect("a path"))
        .collect()
}

#[tokio::test]
async fn search_and_text_of_another_tenant_do_not_exist() {
    let app = App::start().await;
    let scopes = [Scope::UploadsWrite, Scope::UploadsRead, Scope::DatasetsRead];
    let (_, key) = app.issue_key("acme", &scopes, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let ours = app.upload("/in/a.pdf", "x", json!({})).await;
    let theirs = acme.upload("/in/b.pdf", "y").await;
    store_text(&app, &ours, "default", "apples of ours").await;
    store_text(&app, &theirs, "acme", "apples of theirs").await;
    let found = app.get("/search?q=apples").await.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/in/a.pdf"], "{found:#}");
    let found = acme.get("/search?q=apples").await.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/in/b.pdf"], "{found:#}");
    // The name of a tenant is no word, although it is in the index.
    for query in ["acme", "default", "%27acme%27", "-zzz"] {
        let found = app.get(&format!("/search?q={query}")).await;
        let found = found.expect(StatusCode::OK);
        let expected: &[&str] = if query == "-zzz" { &["/in/a.pdf"] } else { &[] };
        assert_eq!(paths(&found), expected, "{query}: {found:#}");
    }
    let text = app.get(&format!("/uploads/{}/text", id(&theirs))).await;
    text.expect_problem(404, "upload-not-found");
    let text = acme.get(&format!("/uploads/{}/text", id(&theirs))).await;
    let text = text.expect(StatusCode::OK);
    assert_eq!(text["text"][0]["text"], "apples of theirs", "{text:#}");
}

#[tokio::test]
async fn search_and_text_stay_in_the_folder_of_the_credential() {
    let app = App::start().await;
    for path in ["/in/a.pdf", "/inbox/b.pdf", "/out/c.pdf"] {
        let upload = app.upload(path, "x", json!({})).await;
        store_text(&app, &upload, "default", "apples").await;
    }
    let scopes = ["uploads:read", "datasets:read"];
    let body = json!({"prefix": "/in/", "scopes": scopes, "expires_in": 60});
    let confined = issue_token(&app, body).await;
    for (query, expected) in [
        ("q=apples", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/in", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/out/", vec![]),
    ] {
        let found = confined.get(&format!("/search?{query}")).await;
        let found = found.expect(StatusCode::OK);
        assert_eq!(paths(&found), expected, "{query}");
    }
    let outside = app.get("/uploads?path=/out/c.pdf").await.json();
    let text = format!("/uploads/{}/text", id(&outside[0]));
    confined
        .get(&text)
        .await
        .expect_problem(404, "upload-not-found");
}

#[tokio::test]
async fn snippet_has_no_brackets_but_those_around_matches() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    let text = "<script>alert(1)</script> \u{27e6}fake\u{27e7} apples & pears";
    store_text(&app, &upload, "default", text).await;
    let found = app.get("/search?q=apples").await.expect(StatusCode::OK);
    let snippet = found[0]["snippet"].as_str().expect("a snippet");
    assert!(snippet.ends_with("[fake] ⟦apples⟧ & pears"), "{snippet}");
}
