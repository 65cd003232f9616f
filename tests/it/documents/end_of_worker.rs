//! What remains of the text when a worker dies while it writes it.

use reqwest::StatusCode;

use super::scene::{LONG, Scene};
use crate::support::database;
use crate::support::observe::within;

#[tokio::test]
async fn worker_that_dies_while_it_writes_pages_leaves_no_half_text() {
    let scene = Scene::new().await;
    let client = database::connect(scene.place.database.url()).await;
    // The first 200 pages are one statement. A trigger makes a later one wait for this lock.
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
    let first = scene.worker().spawn();
    let upload = scene.upload("pages-500").await;
    within(LONG, "some pages are stored", async || {
        scene.stored_pages().await > 0
    })
    .await;
    let half = scene.stored_pages().await;
    assert!(half < 500, "{half}");
    let text = scene.text(&upload, "").await;
    text.expect_problem(409, "text-missing");
    assert!(scene.found("q=number5").await.is_empty());
    first.stop("KILL").await;
    client
        .batch_execute("SELECT pg_advisory_unlock(42); DROP TRIGGER wait ON document_pages")
        .await
        .expect("no trigger");
    let second = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 2, "{job:#}");
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
