//! A queue that receives the event notifications of a bucket, as S3 sends them.

use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration, TopicConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::cloud::{self, Bucket};
use super::inbox::sqs;
use super::unique;

/// The queue of one test.
pub struct Events {
    pub client: aws_sdk_sqs::Client,
    pub url: String,
    pub arn: String,
}

impl Events {
    /// Creates a queue that S3 and SNS may send to.
    pub async fn new() -> Events {
        let client = sqs(&cloud::endpoint());
        let made = client.create_queue().queue_name(unique("events"));
        let url = made
            .send()
            .await
            .expect("a queue")
            .queue_url
            .expect("its URL");
        let events = Events::at(client, url).await;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": events.arn,
        }]});
        events.set(QueueAttributeName::Policy, policy).await;
        events
    }

    /// Returns the queue at `url`, which exists.
    pub async fn at(client: aws_sdk_sqs::Client, url: String) -> Events {
        let mut events = Events {
            client,
            url,
            arn: String::new(),
        };
        events.arn = events.attribute(QueueAttributeName::QueueArn).await;
        events
    }

    /// Configures the bucket to notify this queue of created and removed objects.
    pub async fn follow(&self, bucket: &Bucket) {
        let queue = QueueConfiguration::builder()
            .queue_arn(&self.arn)
            .events(Event::from("s3:ObjectCreated:*"))
            .events(Event::from("s3:ObjectRemoved:*"));
        let queue = queue.build().expect("a configuration");
        let all = NotificationConfiguration::builder().queue_configurations(queue);
        configure(bucket, all.build()).await;
    }

    /// Moves messages to `other` after `receives` receives.
    pub async fn set_dead_letter_queue(&self, other: &Events, receives: u32) {
        let policy = json!({"deadLetterTargetArn": other.arn, "maxReceiveCount": receives});
        self.set(QueueAttributeName::RedrivePolicy, policy).await;
    }

    /// Sends a message to the queue.
    pub async fn send(&self, body: &str) {
        let send = self.client.send_message().queue_url(&self.url);
        send.message_body(body).send().await.expect("a message");
    }

    /// Returns the number of visible messages, and the number of received messages that are still invisible.
    pub async fn counts(&self) -> (u32, u32) {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        let taken = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let number = |text: String| text.parse().expect("a number");
        (
            number(self.attribute(waiting).await),
            number(self.attribute(taken).await),
        )
    }

    /// Receives a message as another reader would. Waits at most `seconds`.
    pub async fn take(&self, seconds: i32) -> Option<String> {
        let take = self.client.receive_message().queue_url(&self.url);
        let taken = take
            .wait_time_seconds(seconds)
            .send()
            .await
            .expect("a poll");
        taken.messages.unwrap_or_default().pop()?.body
    }

    async fn attribute(&self, name: QueueAttributeName) -> String {
        let asked = self.client.get_queue_attributes().queue_url(&self.url);
        let asked = asked.attribute_names(name.clone()).send().await;
        let attributes = asked.expect("the queue's attributes").attributes;
        let value = attributes.and_then(|mut all| all.remove(&name));
        value.unwrap_or_else(|| panic!("no {name}"))
    }

    /// Sets an attribute of the queue.
    pub async fn set(&self, name: QueueAttributeName, value: Value) {
        let set = self.client.set_queue_attributes().queue_url(&self.url);
        let set = set.attributes(name, value.to_string());
        set.send().await.expect("an attribute");
    }
}

/// Configures the bucket to notify a topic of created objects.
pub async fn notify_topic(bucket: &Bucket, arn: &str) {
    let topic = TopicConfiguration::builder()
        .topic_arn(arn)
        .events(Event::from("s3:ObjectCreated:*"));
    let topic = topic.build().expect("a configuration");
    let all = NotificationConfiguration::builder().topic_configurations(topic);
    configure(bucket, all.build()).await;
}

async fn configure(bucket: &Bucket, all: NotificationConfiguration) {
    let put = bucket.client.put_bucket_notification_configuration();
    let put = put.bucket(&bucket.name).notification_configuration(all);
    put.send().await.expect("a notification configuration");
}

/// Returns an event notification in the format of S3. The key is encoded like a form field.
pub fn raw(name: &str, bucket: &str, key: &str) -> Value {
    let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2025-03-01T10:00:00.000Z", "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "events",
            "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": encoded, "size": 5, "eTag": "d41d8", "sequencer": "0A1B2C3D4E5F678901"},
        },
    }]})
}
