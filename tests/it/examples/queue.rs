//! The messages of the subscriber: each is deleted once its job has ended, a repeated one does no harm,
//! and one that cannot be read ends in the dead-letter queue.

use serde_json::json;

use super::scene::{Example, Scene};
use crate::support::events::Events;
use crate::support::observe::{TIMEOUT, within};

#[tokio::test]
async fn message_that_comes_twice_is_processed_once() {
    let scene = Scene::new(Example::Subscriber).await;
    let witness = scene
        .inbox
        .filtered(json!({"type": ["dataset.uploaded"]}))
        .await;
    let first = scene.waiting_worker("gate").spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    let received = witness.receive_until(1, TIMEOUT).await;
    let message = &received[0];
    scene.wait_until_working(&upload).await;
    // The same message comes to another worker while the first one works. It stays in the queue, because
    // the first worker may still fail.
    let mut second = scene.worker().spawn();
    scene.queue.send(&message.body).await;
    second.wait_for_nth_log("job-claimed", 2).await;
    scene.open("gate");
    scene.wait_for_status(&upload, "Processed").await;
    scene.wait_for_empty_queue().await;
    let written = scene.written(&upload).await;
    assert_eq!(written.0[0]["attempt"], 1, "{written:#?}");
    // It comes once more, when everything is done, this time in the envelope of SNS.
    let envelope = json!({"Type": "Notification", "Message": message.body});
    first.stop("TERM").await.ok();
    scene.queue.send(&envelope.to_string()).await;
    scene.wait_for_empty_queue().await;
    assert_eq!(scene.written(&upload).await, written);
    second.stop("TERM").await.ok();
}

#[tokio::test]
async fn message_stays_in_the_queue_until_its_job_has_ended() {
    let scene = Scene::new(Example::Subscriber).await;
    let worker = scene.waiting_worker("gate").spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_until_working(&upload).await;
    assert_eq!(scene.queue.counts().await, (0, 1));
    // Longer than the first visibility timeout, which is the length of the lease.
    assert_eq!(scene.queue.take(7).await, None);
    scene.open("gate");
    scene.wait_for_status(&upload, "Processed").await;
    scene.wait_for_empty_queue().await;
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn unreadable_messages_end_in_the_dead_letter_queue_and_do_not_stop_the_subscriber() {
    let scene = Scene::new(Example::Subscriber).await;
    let dead = Events::new().await;
    scene.queue.set_dead_letter_queue(&dead, 2).await;
    let deep = "[".repeat(100_000);
    let bodies = [
        "hello",
        "null",
        "5",
        "[1]",
        "{}",
        &deep,
        r#"{"Message":"hello"}"#,
        r#"{"type":"dataset.uploaded","data":{"upload_id":"../../keys","path":"/a"}}"#,
        r#"{"type":"dataset.uploaded","data":{"upload_id":5,"path":"/a"}}"#,
    ];
    for body in bodies {
        scene.queue.send(body).await;
    }
    let worker = scene.worker().spawn();
    let upload = scene.upload("a.txt", "bytes").await;
    scene.wait_for_status(&upload, "Processed").await;
    within(
        TIMEOUT * 2,
        "all are in the dead-letter queue",
        async || dead.counts().await == (bodies.len() as u32, 0),
    )
    .await;
    scene.wait_for_empty_queue().await;
    worker.stop("TERM").await.ok();
}
