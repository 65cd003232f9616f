//! Text that is no longer needed is removed in bounded steps, and never while it is read.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::store_text;
use crate::support::app::{App, id};
use crate::support::observe::eventually;

async fn count(app: &App, what: &str) -> i64 {
    let client = app.sql().await;
    let row = client.query_one(&format!("SELECT {what}"), &[]).await;
    row.expect("a number").get(0)
}

#[tokio::test]
async fn pages_of_a_long_document_are_removed_in_bounded_steps() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    store_text(&app, &upload, "default", &["apples"; 1_200]).await;
    let other = app.upload("/in/b.pdf", "y", json!({})).await;
    store_text(&app, &other, "default", &["pears"]).await;
    app.sql()
        .await
        .batch_execute(
            "CREATE TABLE steps (pages bigint);
             CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO steps SELECT count(*) FROM removed;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER note_step AFTER DELETE ON document_pages
                 REFERENCING OLD TABLE AS removed
                 FOR EACH STATEMENT EXECUTE FUNCTION note_step();",
        )
        .await
        .expect("a trigger");
    app.delete(&format!("/uploads/{}", id(&upload))).await;
    app.janitor().await;
    assert_eq!(count(&app, "count(*) FROM document_pages").await, 1);
    assert_eq!(count(&app, "count(*) FROM documents").await, 1);
    assert_eq!(count(&app, "sum(pages)::bigint FROM steps").await, 1_200);
    assert_eq!(count(&app, "max(pages) FROM steps").await, 500);
}

/// The pages are removed between the first query of the request and the one that reads them.
#[tokio::test]
async fn text_that_is_removed_while_it_is_read_is_read_as_a_whole() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    store_text(&app, &upload, "default", &["one", "two", "three"]).await;
    let client = app.sql().await;
    client
        .batch_execute("BEGIN; LOCK TABLE document_pages IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    let path = format!("/uploads/{}/text", id(&upload));
    let (text, ()) = tokio::join!(app.get(&path), async {
        eventually("the request waits for the pages", async || {
            let waiting = "count(*) FROM pg_locks WHERE NOT granted \
                AND relation = 'document_pages'::regclass";
            count(&app, waiting).await > 0
        })
        .await;
        client
            .batch_execute("DELETE FROM documents; COMMIT")
            .await
            .expect("the documents are removed");
    });
    let text = text.expect(StatusCode::OK);
    let pages: Vec<_> = (text["text"].as_array().expect("an array").iter())
        .map(|page| page["text"].as_str().expect("a text"))
        .collect();
    assert_eq!(pages, ["one", "two", "three"], "{text:#}");
    app.get(&path).await.expect_problem(409, "text-missing");
}
