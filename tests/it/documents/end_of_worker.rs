//! What remains of the text when a worker dies while it writes it.

use reqwest::StatusCode;
use serde_json::Value;

use super::scene::{LONG, Scene};
use crate::support::database;
use crate::support::observe::within;
use crate::support::process::Run;

/// Makes the statement that writes page 300 wait for a lock. The first 250 pages are five statements.
async fn hold_up_page_300(scene: &Scene) -> tokio_postgres::Client {
    let client = database::connect(scene.place.database.url()).await;
    client
        .batch_execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.page = 300 THEN PERFORM pg_advisory_xact_lock(42); END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER wait BEFORE INSERT ON document_pages
                 FOR EACH ROW EXECUTE FUNCTION wait();
             SELECT pg_advisory_lock(42);",
        )
        .await
        .expect("a trigger");
    client
}

/// A worker whose statements wait for the lock as long as the test needs, however busy the machine is.
fn worker_with_long_timeouts(scene: &Scene) -> Run {
    scene
        .worker()
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 600)
        .set("BROKER_DB_STATEMENT_TIMEOUT_SECONDS", 600)
}

/// Waits until some pages are stored, and the others wait for the lock.
async fn wait_for_half_of_the_text(scene: &Scene) {
    within(LONG, "some pages are stored", async || {
        scene.stored_pages().await > 0
    })
    .await;
    let half = scene.stored_pages().await;
    assert!(half < 500, "{half}");
}

async fn let_page_300_pass(client: &tokio_postgres::Client) {
    client
        .batch_execute("SELECT pg_advisory_unlock(42); DROP TRIGGER wait ON document_pages")
        .await
        .expect("no trigger");
}

/// The job needed another attempt. On a busy machine that one may lose its lease, too.
fn assert_taken_over(job: &Value) {
    assert!(job["attempt"].as_u64() >= Some(2), "{job:#}");
}

#[tokio::test]
async fn worker_that_wakes_up_after_its_lease_publishes_nothing() {
    let scene = Scene::new().await;
    let client = hold_up_page_300(&scene).await;
    let mut first = worker_with_long_timeouts(&scene).spawn();
    let upload = scene.upload("pages-500").await;
    wait_for_half_of_the_text(&scene).await;
    first.signal("STOP");
    let_page_300_pass(&client).await;
    let second = worker_with_long_timeouts(&scene).spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let read = async || {
        let client = database::connect(scene.place.database.url()).await;
        let published = "SELECT id::text, pages FROM documents WHERE pages IS NOT NULL";
        let documents = client.query(published, &[]).await.expect("the documents");
        let documents = documents.iter().map(|row| (row.get(0), row.get(1)));
        let documents: Vec<(String, i32)> = documents.collect();
        (documents, scene.job(&upload).await)
    };
    let (documents, job) = read().await;
    assert_eq!(documents.len(), 1, "{documents:?}");
    assert_taken_over(&job);
    first.signal("CONT");
    // It finds out when it renews the lease, or when it ends the job.
    first.wait_for_log("lease").await;
    assert_eq!(read().await, (documents, job));
    let last = scene.text(&upload, "?page=500").await;
    let last = last.expect(StatusCode::OK);
    assert_eq!(last["text"][0]["page"], 500, "{last:#}");
    within(LONG, "the pages of the first one are removed", async || {
        scene.stored_pages().await == 500
    })
    .await;
    for worker in [first, second] {
        worker.stop("TERM").await.ok();
    }
}

#[tokio::test]
async fn worker_that_dies_while_it_writes_pages_leaves_no_half_text() {
    let scene = Scene::new().await;
    let client = hold_up_page_300(&scene).await;
    let first = worker_with_long_timeouts(&scene).spawn();
    let upload = scene.upload("pages-500").await;
    wait_for_half_of_the_text(&scene).await;
    let text = scene.text(&upload, "").await;
    text.expect_problem(409, "text-missing");
    assert!(scene.found("q=number5").await.is_empty());
    first.stop("KILL").await;
    let_page_300_pass(&client).await;
    let second = worker_with_long_timeouts(&scene).spawn();
    scene.wait_for_status(&upload, "Processed").await;
    assert_taken_over(&scene.job(&upload).await);
    for page in [5, 499] {
        let found = scene.found(&format!("q=number{page}")).await;
        assert_eq!(found, [("/in/pages-500.pdf".to_owned(), page)]);
    }
    let last = scene.text(&upload, "?page=500").await;
    let last = last.expect(StatusCode::OK);
    assert_eq!(last["pages"], 500, "{last:#}");
    within(
        LONG,
        "the janitor removes what the first one left",
        async || scene.stored_pages().await == 500,
    )
    .await;
    second.stop("TERM").await.ok();
}
