//! The end of a run is published to a topic, and the queue of the workers is subscribed to it.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use super::scene::Scene;
use super::service::{GET, START};
use crate::support::events::Events;
use crate::support::inbox::Inbox;
use crate::support::observe::within;
use crate::support::process::{Run, TIMEOUT};

const ROLE: &str = "arn:aws:iam::000000000000:role/textract";

/// A broker with a topic for its events and one for Textract, and a queue that is subscribed to both.
struct Notified {
    scene: Scene,
    ends: Inbox,
    queue: Events,
}

impl Notified {
    async fn new() -> Notified {
        let inbox = Inbox::new().await;
        let queue = Events::at(inbox.sqs.clone(), inbox.queue_url.clone()).await;
        let ends = Inbox::new().await;
        // Both topics may send to the queue.
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": [inbox.topic_arn, ends.topic_arn]}},
        }]});
        queue.set(QueueAttributeName::Policy, policy).await;
        // With the envelope of SNS.
        let subscribe = ends.sns.subscribe().topic_arn(&ends.topic_arn);
        let subscribe = subscribe.protocol("sqs").endpoint(&queue.arn);
        subscribe.send().await.expect("a subscription");
        let scene = Scene::with(&[("BROKER_SNS_TOPIC_ARN", inbox.topic_arn.clone())]).await;
        Notified { scene, ends, queue }
    }

    fn worker(&self) -> Run {
        self.scene
            .worker()
            .set("BROKER_WORKER_QUEUE_URL", &self.queue.url)
            .set("BROKER_TEXTRACT_TOPIC_ARN", &self.ends.topic_arn)
            .set("BROKER_TEXTRACT_ROLE_ARN", ROLE)
    }

    /// Waits until the queue has so many visible and invisible messages.
    async fn wait_for_counts(&self, counts: (u32, u32)) {
        let what = format!("the queue has {counts:?} messages");
        within(TIMEOUT, &what, async || self.queue.counts().await == counts).await;
    }
}

#[tokio::test]
async fn notification_of_the_end_wakes_the_job_and_others_are_not_held_up_before() {
    let notified = Notified::new().await;
    let scene = &notified.scene;
    scene.textract.hold_runs();
    let worker = notified.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    // The worker has one slot, which the waiting job does not use.
    let plays = scene.caller.upload("/plays/a.csv", "Song\na\na\n").await;
    scene.wait_for_status(&plays, "Processed").await;
    assert_eq!(
        scene.textract.calls(GET).len(),
        0,
        "nothing is asked for before the end"
    );

    scene.textract.finish_runs().await;
    scene.wait_for_status(&upload, "Processed").await;
    // The message of the upload is invisible until the job would have asked by itself.
    notified.wait_for_counts((0, 1)).await;
    let starts = scene.textract.calls(START);
    let job = scene.job(&upload).await;
    assert_eq!(starts[0]["JobTag"], job["id"], "{starts:#?}");
    let channel = json!({"SNSTopicArn": notified.ends.topic_arn, "RoleArn": ROLE});
    assert_eq!(starts[0]["NotificationChannel"], channel);
    assert_eq!(
        scene.textract.calls(GET).len(),
        1,
        "no call more than there are answers"
    );
    assert_eq!(job["attempt"], 1, "{job:#}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn notification_that_comes_while_no_worker_runs_is_handled_by_the_next_one() {
    let notified = Notified::new().await;
    let scene = &notified.scene;
    scene.textract.hold_runs();
    let first = notified.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    notified.wait_for_counts((0, 1)).await;
    first.stop("KILL").await;
    scene.textract.finish_runs().await;
    let second = notified.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    assert_eq!(scene.textract.runs(), 1);
    second.stop("TERM").await.ok();
}

#[tokio::test]
async fn notifications_of_unknown_runs_and_of_ended_jobs_change_nothing() {
    let notified = Notified::new().await;
    let scene = &notified.scene;
    let worker = notified.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "Textract reads the document")
        .await;
    scene.textract.finish_runs().await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    for tag in [job["id"].clone(), json!(uuid::Uuid::max())] {
        let end = json!({"JobId": "0".repeat(64), "Status": "SUCCEEDED", "JobTag": tag});
        notified.queue.send(&end.to_string()).await;
    }
    notified.wait_for_counts((0, 1)).await;
    assert_eq!(scene.job(&upload).await, job);
    worker.stop("TERM").await.ok();
}
