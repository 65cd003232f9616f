//! What the examples report when a job cannot be done.

use super::scene::{Example, Scene};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};

async fn exception_fails_the_job(example: Example) {
    let scene = Scene::new(example).await;
    let worker = scene.worker().set("WORK", "work:fail").spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_for_status(&upload, "Error").await;
    let now = scene.read(&upload).await;
    assert_eq!(now["error"]["code"], "processing-failed", "{now:#}");
    let job = scene.job(&upload).await;
    assert_eq!(job["status"], "Failed", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(job["message"], "ValueError: row 3 has no date", "{job:#}");
    if example == Example::Subscriber {
        scene.wait_for_empty_queue().await;
    }
    worker.stop("TERM").await.ok();
}

/// Another program replaces the object after its proof. The bytes that are there are not processed.
async fn replaced_object_is_not_processed(example: Example) {
    let scene = Scene::new(example).await;
    let upload = scene.upload("a.txt", "bytes").await;
    let key = upload["path"]
        .as_str()
        .expect("a path")
        .trim_start_matches('/');
    scene.place.bucket.put(key, "other").await;
    let worker = scene.worker().spawn();
    scene.wait_for_status(&upload, "Error").await;
    let job = scene.job(&upload).await;
    let message = job["message"].as_str().expect("a message");
    assert!(message.contains("proven"), "{job:#}");
    let (_, results) = scene.written(&upload).await;
    assert_eq!(results, serde_json::json!([]));
    worker.stop("TERM").await.ok();
}

/// The store answers with an error, and then closes its connections in the middle of the dataset. No
/// log may contain the URL (see `support::leaks`).
async fn job_is_given_back_while_the_store_fails(example: Example) {
    let s3 = FaultyProxy::new(cloud::address());
    let settings = [("BROKER_S3_PUBLIC_ENDPOINT", s3.endpoint())];
    let scene = Scene::with(example, &settings).await;
    let upload = scene.upload("a.txt", &"bytes\n".repeat(50_000)).await;
    for mode in [
        Mode::Respond("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Mode::Truncate(cloud::address(), 10_000),
    ] {
        s3.set_mode(mode);
        let mut worker = scene.worker().spawn();
        worker.wait_for_log("reported Queued No answer").await;
        worker.stop("TERM").await.ok();
        let job = scene.job(&upload).await;
        assert_eq!(job["status"], "Queued", "{job:#}");
        assert_eq!(job["attempt"], 0, "{job:#}");
    }
    s3.set_mode(Mode::Forward(cloud::address()));
    let worker = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn subscriber_gives_its_job_back_while_the_store_fails() {
    job_is_given_back_while_the_store_fails(Example::Subscriber).await;
}

#[tokio::test]
async fn puller_gives_its_job_back_while_the_store_fails() {
    job_is_given_back_while_the_store_fails(Example::Puller).await;
}

#[tokio::test]
async fn exception_in_the_function_of_a_subscriber_fails_the_job_with_its_text() {
    exception_fails_the_job(Example::Subscriber).await;
}

#[tokio::test]
async fn exception_in_the_function_of_a_puller_fails_the_job_with_its_text() {
    exception_fails_the_job(Example::Puller).await;
}

#[tokio::test]
async fn subscriber_does_not_process_an_object_that_replaced_the_proven_one() {
    replaced_object_is_not_processed(Example::Subscriber).await;
}

#[tokio::test]
async fn puller_does_not_process_an_object_that_replaced_the_proven_one() {
    replaced_object_is_not_processed(Example::Puller).await;
}

#[tokio::test]
async fn puller_ends_with_an_error_if_its_key_is_refused() {
    let scene = Scene::new(Example::Puller).await;
    let worker = scene.worker().set("UPLOAD_BROKER_KEY", "wrong");
    let ended = worker.finish().await;
    ended.expect_failure(1, &["Refused: unauthenticated"]);
}
