//! Workers that are killed in the middle: the next one continues, and no document is paid for twice.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::scene::Scene;
use super::service::{Document, Fault, GET, START};
use crate::support::app::id;
use crate::support::database;
use crate::support::observe::within;
use crate::support::process::TIMEOUT;
use crate::support::reply::Reply;

/// Some answers long: each page is a block, and has a line of two words, which are blocks, too.
fn long_document(pages: usize) -> Document {
    let lines: Vec<String> = (1..=pages)
        .map(|page| format!("page number{page}"))
        .collect();
    let lines: Vec<[&str; 1]> = lines.iter().map(|line| [line.as_str()]).collect();
    let pages: Vec<&[&str]> = lines.iter().map(<[&str; 1]>::as_slice).collect();
    Document::new(&pages)
}

#[tokio::test]
async fn worker_killed_after_the_start_of_a_run_is_followed_by_one_that_continues_that_run() {
    let scene = Scene::new().await;
    scene.textract.fail_next(START, [Fault::HoldAnswer]);
    let first = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene.textract.answer_waits().await;
    first.stop("KILL").await;
    let second = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let starts = scene.textract.calls(START);
    assert_eq!(starts.len(), 2, "{starts:#?}");
    assert_eq!(starts[0], starts[1], "the second one is the same");
    assert_eq!(scene.textract.runs(), 1, "and is not paid for");
    second.stop("TERM").await.ok();
}

#[tokio::test]
async fn worker_killed_between_two_answers_is_followed_by_one_that_fetches_the_next_answer() {
    let scene = Scene::new().await;
    // 4 blocks on each page: 5 answers.
    scene
        .textract
        .set_document("in/a.pdf", long_document(1_200));
    let upload = upload_and_kill_after_answers(&scene, 2).await;
    let before = scene.textract.calls(GET).len();
    let second = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let after: Vec<_> = scene.textract.calls(GET).into_iter().skip(before).collect();
    assert_eq!(
        after.len(),
        3,
        "the first two are not fetched again: {after:#?}"
    );
    assert!(
        after.iter().all(|get| get["NextToken"].is_string()),
        "{after:#?}"
    );
    assert_eq!(scene.textract.runs(), 1);
    assert_all_pages(&scene, &upload, 1_200).await;
    second.stop("TERM").await.ok();
}

#[tokio::test]
async fn token_that_is_no_longer_valid_leads_to_the_first_answer_again() {
    let scene = Scene::new().await;
    scene.textract.set_document("in/a.pdf", long_document(600));
    let upload = upload_and_kill_after_answers(&scene, 1).await;
    scene.textract.forget_tokens();
    let second = scene.worker().spawn();
    scene
        .wait_for_message(&upload, "InvalidParameterException")
        .await;
    scene.make_due(&upload).await;
    scene.wait_for_status(&upload, "Processed").await;
    assert_eq!(scene.textract.runs(), 1);
    assert_all_pages(&scene, &upload, 600).await;
    second.stop("TERM").await.ok();
}

/// Uploads `/in/a.pdf`, and kills a worker after it has stored so many answers.
async fn upload_and_kill_after_answers(scene: &Scene, count: i32) -> Value {
    let client = database::connect(scene.place.database.url()).await;
    let hold_the_next_one = format!(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.answers > {count} THEN PERFORM pg_advisory_xact_lock(42); END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER hold BEFORE UPDATE ON text_detections
             FOR EACH ROW EXECUTE FUNCTION hold();
         SELECT pg_advisory_lock(42);"
    );
    let held = client.batch_execute(&hold_the_next_one).await;
    held.expect("a trigger");
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    within(TIMEOUT, "the answers are stored", async || {
        let stored = "SELECT coalesce(max(answers), 0) FROM text_detections";
        let stored = client.query_one(stored, &[]).await.expect("a number");
        stored.get::<_, i32>(0) == count
    })
    .await;
    worker.stop("KILL").await;
    // The statement of the dead worker ends before another one can get the lock.
    let dropped = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event = 'advisory';
         DROP TRIGGER hold ON text_detections;
         SELECT pg_advisory_unlock(42)";
    client.batch_execute(dropped).await.expect("no trigger");
    upload
}

/// Reads all pages of an upload.
async fn assert_all_pages(scene: &Scene, upload: &Value, count: usize) {
    let path = format!("/uploads/{}/text", id(upload));
    let request = scene.caller.request(Method::GET, &path);
    let request = request.header("accept", "application/x-ndjson");
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:#?}");
    let pages: BTreeSet<usize> = (reply.body.lines())
        .map(|line| {
            let page: Value = serde_json::from_str(line).expect("JSON");
            let number = page["page"].as_u64().expect("a page");
            let text = page["text"].as_str().expect("text");
            assert_eq!(text, format!("page number{number}\n"));
            usize::try_from(number).expect("a number")
        })
        .collect();
    assert_eq!(pages, (1..=count).collect());
}
