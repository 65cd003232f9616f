//! A worker that is woken by a queue: its messages come from the topic, are deleted when the job has
//! ended, and do no harm when they come twice.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::events::Events;
use crate::support::inbox::Inbox;
use crate::support::observe::{TIMEOUT, within};
use crate::support::process::Run;

/// A broker with a topic, and a queue for workers that is subscribed to it.
pub(super) struct Queued {
    pub(super) scene: Scene,
    inbox: Inbox,
    queue: Events,
}

impl Queued {
    pub(super) async fn new() -> Queued {
        let inbox = Inbox::new().await;
        let queue = Events::at(inbox.sqs.clone(), inbox.queue_url.clone()).await;
        let scene = Scene::with(&[("BROKER_SNS_TOPIC_ARN", inbox.topic_arn.clone())]).await;
        Queued {
            scene,
            inbox,
            queue,
        }
    }

    pub(super) fn worker(&self, processors: &str) -> Run {
        self.scene
            .worker(processors)
            .set("BROKER_WORKER_QUEUE_URL", &self.queue.url)
    }

    /// Waits until no message is left in the queue, neither visible nor invisible.
    pub(super) async fn wait_for_empty_queue(&self) {
        within(TIMEOUT * 2, "the queue is empty", async || {
            self.queue.counts().await == (0, 0)
        })
        .await;
    }

    async fn jobs_and_results(&self, upload: &Value) -> (Vec<Value>, Value) {
        let results = self.scene.caller.get("/datasets?prefix=/derived/").await;
        (self.scene.jobs(upload).await, results.json())
    }
}

/// The worker asks Postgres when it starts, when a job has ended, and otherwise every ten seconds. The
/// job of the second dataset is queued after that, and its message is faster. If the worker had found
/// that job in Postgres too, its message would stay in the queue for half a minute.
#[tokio::test]
async fn message_of_the_topic_starts_the_job_and_is_deleted_when_the_job_has_ended() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let without_message = scene.caller.upload("/abort/a.bin", "bytes").await;
    queued.inbox.receive_until(1, TIMEOUT).await;
    let worker = queued.worker("trial").spawn();
    scene.wait_for_status(&without_message, "Error").await;
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    assert_eq!(queued.queue.counts().await, (0, 1), "it stays, invisible");
    scene.wait_for_status(&upload, "Processed").await;
    within(TIMEOUT / 2, "the message is deleted", async || {
        queued.queue.counts().await == (0, 0)
    })
    .await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 1, "{jobs:#?}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn message_delivered_again_changes_nothing() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let witness = (queued.inbox)
        .filtered(json!({"type": ["dataset.uploaded"]}))
        .await;
    let worker = queued.worker("trial").spawn();
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    let received = witness.receive_until(1, TIMEOUT).await;
    let body = &received[0].body;
    scene.wait_until_running(&upload).await;
    queued.queue.send(body).await;
    scene.wait_for_status(&upload, "Processed").await;
    queued.wait_for_empty_queue().await;
    let before = queued.jobs_and_results(&upload).await;
    assert_eq!(before.0[0]["attempt"], 1, "{before:#?}");
    let envelope = json!({"Type": "Notification", "Message": body});
    for repeated in [body, &envelope.to_string()] {
        queued.queue.send(repeated).await;
        queued.wait_for_empty_queue().await;
        assert_eq!(queued.jobs_and_results(&upload).await, before);
    }
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn unreadable_message_ends_in_the_dead_letter_queue_and_does_not_delay_others() {
    let queued = Queued::new().await;
    let dead = Events::new().await;
    queued.queue.set_dead_letter_queue(&dead, 2).await;
    let bodies = [
        "hello",
        "{}",
        r#"{"Message":"hello"}"#,
        r#"{"tenant":"default","data":{"upload_id":"1"}}"#,
    ];
    for body in bodies {
        queued.queue.send(body).await;
    }
    let mut worker = queued.worker("trial").spawn();
    worker
        .wait_for_nth_log("is no event and stays in the queue", bodies.len())
        .await;
    let upload = queued.scene.caller.upload("/slow/a.bin", "bytes").await;
    queued.scene.wait_for_status(&upload, "Processed").await;
    within(
        TIMEOUT * 2,
        "all are in the dead-letter queue",
        async || dead.counts().await == (bodies.len() as u32, 0),
    )
    .await;
    queued.wait_for_empty_queue().await;
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn message_of_a_killed_worker_stays_until_another_worker_has_finished_the_job() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let mut first = queued.worker("trial").spawn();
    first.ready().await;
    let upload = scene.caller.upload("/slow/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    first.stop("KILL").await;
    let (visible, hidden) = queued.queue.counts().await;
    assert_eq!(visible + hidden, 1, "{visible} visible, {hidden} invisible");
    let second = queued.worker("trial").spawn();
    scene.wait_for_status(&upload, "Processed").await;
    queued.wait_for_empty_queue().await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 2, "{jobs:#?}");
    assert_eq!(jobs[0]["status"], "Succeeded", "{jobs:#?}");
    second.stop("TERM").await.ok();
    scene.assert_no_temporary_file();
}

/// The visibility timeout is 15 seconds, and the job takes 18.
#[tokio::test]
async fn message_stays_invisible_while_its_job_takes_longer_than_the_visibility_timeout() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let mut worker = queued.worker("trial").spawn();
    worker.ready().await;
    let upload = scene.caller.upload("/long/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    within(TIMEOUT, "the job has ended", async || {
        let counts = queued.queue.counts().await;
        let has_ended = scene.status(&upload).await == "Processed";
        assert!(has_ended || counts == (0, 1), "the message is visible");
        has_ended
    })
    .await;
    queued.wait_for_empty_queue().await;
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["attempt"], 1, "{jobs:#?}");
    worker.stop("TERM").await.ok();
}

/// The worker finds the first dataset in Postgres, whose message is taken away. The second one is queued
/// after it has asked Postgres, and its message is faster.
#[tokio::test]
async fn message_of_a_stopped_worker_is_visible_at_once() {
    let queued = Queued::new().await;
    let scene = &queued.scene;
    let without_message = scene.caller.upload("/abort/a.bin", "bytes").await;
    queued.inbox.receive_until(1, TIMEOUT).await;
    let worker = queued.worker("trial").set("BROKER_SHUTDOWN_SECONDS", 1);
    let worker = worker.spawn();
    scene.wait_for_status(&without_message, "Error").await;
    let upload = scene.caller.upload("/long/a.bin", "bytes").await;
    scene.wait_until_running(&upload).await;
    assert_eq!(queued.queue.counts().await, (0, 1), "it stays, invisible");
    worker.stop("TERM").await.ok();
    assert_eq!(queued.queue.counts().await, (1, 0));
    let jobs = scene.jobs(&upload).await;
    assert_eq!(jobs[0]["status"], "Queued", "{jobs:#?}");
}
