//! The topic and the queue: missing, forbidden, badly configured; and a test notification only on
//! request.

use std::time::Duration;

use super::scene::{Report, doctor};
use crate::support::cloud;
use crate::support::events::Events;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::inbox::Inbox;
use crate::support::serving::Place;

#[tokio::test]
async fn missing_topic_and_queue_fail() {
    let place = Place::new().await;
    let inbox = Inbox::new().await;
    let run = doctor(&place)
        .set("BROKER_SNS_TOPIC_ARN", format!("{}-gone", inbox.topic_arn))
        .set(
            "BROKER_S3_EVENTS_QUEUE_URL",
            format!("{}-gone", inbox.queue_url),
        );
    let report = Report::of(run).await;
    report
        .code(1)
        .says("topic", "failed", "no such topic")
        .advises("topic", "BROKER_SNS_TOPIC_ARN")
        .says("events-queue", "failed", "no such queue")
        .advises("events-queue", "BROKER_S3_EVENTS_QUEUE_URL")
        .says("signatures", "ok", "");
}

/// A role that may publish need not have the right to read the attributes.
#[tokio::test]
async fn forbidden_attributes_of_topic_and_queue_are_unknown() {
    let place = Place::new().await;
    let inbox = Inbox::new().await;
    let proxy = FaultyProxy::new(cloud::address());
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ));
    let run = doctor(&place)
        .set("AWS_ENDPOINT_URL_SNS", proxy.endpoint())
        .set("AWS_ENDPOINT_URL_SQS", proxy.endpoint())
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("BROKER_S3_EVENTS_QUEUE_URL", &inbox.queue_url);
    let report = Report::of(run).await;
    report
        .code(0)
        .says("topic", "unknown", "denied the request")
        .advises("topic", "sns:GetTopicAttributes")
        .says("events-queue", "unknown", "denied the request")
        .advises("events-queue", "sqs:GetQueueAttributes");
}

#[tokio::test]
async fn unreachable_sns_and_sqs_fail() {
    let place = Place::new().await;
    let inbox = Inbox::new().await;
    let unreachable = format!("http://127.0.0.1:{}", crate::support::process::free_port());
    let run = doctor(&place)
        .set("AWS_ENDPOINT_URL_SNS", &unreachable)
        .set("AWS_ENDPOINT_URL_SQS", &unreachable)
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("BROKER_S3_EVENTS_QUEUE_URL", &inbox.queue_url);
    let report = Report::of(run).await;
    report
        .code(1)
        .says("topic", "failed", "SNS does not respond")
        .says("events-queue", "failed", "SQS does not respond");
}

#[tokio::test]
async fn queue_without_dead_letter_queue_or_with_few_tries_is_a_warning() {
    let place = Place::new().await;
    let events = Events::new().await;
    let look = || Report::of(doctor(&place).set("BROKER_S3_EVENTS_QUEUE_URL", &events.url));
    look()
        .await
        .code(0)
        .says("events-queue", "warning", "no dead-letter queue");
    events.set_dead_letter_queue(&Events::new().await, 3).await;
    look()
        .await
        .says("events-queue", "warning", "after 3 attempts");
}

#[tokio::test]
async fn queue_of_workers_is_checked_and_a_job_without_worker_is_a_warning() {
    let place = Place::new().await;
    let events = Events::new().await;
    let missing = format!("{}-not-there", events.url);
    let report = Report::of(doctor(&place).set("BROKER_WORKER_QUEUE_URL", missing)).await;
    report
        .code(1)
        .says("worker-queue", "failed", "no such queue")
        .advises("worker-queue", "BROKER_WORKER_QUEUE_URL")
        .says("jobs", "ok", "no job waits");
    let (_broker, caller) = place.start(place.serve()).await;
    let upload = caller.upload("/a.csv", "a").await;
    let sql = crate::support::database::connect(place.database.url()).await;
    let queue = "INSERT INTO jobs (id, upload_id, tenant, processor, due_at, created_at, updated_at) \
        SELECT id, id, tenant, 'csv-aggregate', now() - interval '25 minutes', now(), now() \
        FROM uploads";
    sql.batch_execute(queue).await.expect("a job");
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    let report = Report::of(doctor(&place).set("BROKER_WORKER_QUEUE_URL", &events.url)).await;
    report
        .code(0)
        .says("worker-queue", "warning", "no dead-letter queue")
        .says(
            "jobs",
            "warning",
            "csv-aggregate has waited for a worker for 25 minutes",
        )
        .advises("jobs", "upload-broker worker");
}

#[tokio::test]
async fn publish_option_sends_test_notification() {
    let place = Place::new().await;
    for inbox in [Inbox::new().await, Inbox::fifo().await] {
        let run = place
            .run(&["doctor", "--json", "--publish"])
            .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn);
        let report = Report::of(run).await;
        report.code(0).says("topic", "ok", "broker.test");
        let heard = inbox.receive_until(1, Duration::from_secs(20)).await;
        assert_eq!(heard[0].json()["type"], "broker.test");
        assert_eq!(heard[0].attributes["type"], "broker.test");
    }
}
