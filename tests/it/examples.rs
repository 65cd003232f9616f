//! The examples of workers in `examples/`, as the systems of others: real processes in Python, which
//! know only the API of the broker, and for one of them a queue behind the topic.

mod faults;
mod leases;
mod queue;
mod scene;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::scene::{Example, Scene};
use crate::support::app::id;

/// The text of a dataset, with a word that crosses the first chunk of a mebibyte.
fn text() -> String {
    let mut text = "one two  three\n\tfour five\n".repeat(40_400);
    text.truncate((1 << 20) - 2);
    text.push_str("crossing\nlast words without a line end");
    text
}

/// What the function of an example returns for a dataset.
fn expected(example: Example, text: &str) -> Value {
    match example {
        Example::Subscriber => json!({
            "lines": text.matches('\n').count(),
            "words": text.split_whitespace().count(),
        }),
        Example::Puller => json!({
            "algorithm": "sha256",
            "digest": hex::encode(Sha256::digest(text)),
            "size": text.len(),
        }),
    }
}

async fn dataset_becomes_processed(example: Example) {
    let scene = Scene::new(example).await;
    let worker = scene.worker().spawn();
    let text = text();
    let upload = scene.upload("a.txt", &text).await;
    scene.wait_for_status(&upload, "Processed").await;
    let kinds = scene.event_types(&upload).await;
    let walk = [
        "dataset.uploaded",
        "dataset.processing",
        "dataset.processed",
    ];
    assert_eq!(kinds, walk);
    let job = scene.job(&upload).await;
    assert_eq!(job["status"], "Succeeded", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(job["processor"], example.processor(), "{job:#}");
    let result: Value = serde_json::from_str(&scene.result(&upload).await).expect("JSON");
    assert_eq!(result, expected(example, &text));
    let path = job["outputs"][0]["path"].as_str().expect("a path");
    let written = scene.caller.get(&format!("/uploads?path={path}")).await;
    let written = written.expect(StatusCode::OK);
    assert_eq!(written[0]["status"], "Uploaded", "{written:#}");
    let source = &written[0]["metadata"]["source"];
    assert_eq!(source, id(&upload), "{written:#}");
    assert_eq!(
        written[0]["verification"]["level"], "checksum",
        "{written:#}"
    );
    // The worker gets along with an empty dataset, and with a name that has to be escaped.
    let empty = scene.upload("nothing in it + 100%.txt", "").await;
    scene.wait_for_status(&empty, "Processed").await;
    let result: Value = serde_json::from_str(&scene.result(&empty).await).expect("JSON");
    assert_eq!(result, expected(example, ""));
    if example == Example::Subscriber {
        // The notifications of the results have come too, and have made no jobs.
        scene.wait_for_empty_queue().await;
    }
    worker.stop("TERM").await.ok();
    assert!(scene.jobs(&written[0]).await.is_empty());
}

#[tokio::test]
async fn subscriber_walks_a_dataset_to_processed_with_the_right_result() {
    dataset_becomes_processed(Example::Subscriber).await;
}

#[tokio::test]
async fn puller_walks_a_dataset_to_processed_with_the_right_result() {
    dataset_becomes_processed(Example::Puller).await;
}
