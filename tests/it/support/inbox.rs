//! A subscriber: an SQS queue that is subscribed to an SNS topic with raw delivery, as a downstream system
//! would use.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sns::config::{BehaviorVersion, Region};
use aws_sdk_sns::operation::create_topic::builders::CreateTopicFluentBuilder;
use aws_sdk_sqs::operation::create_queue::builders::CreateQueueFluentBuilder;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::json;

use super::cloud::{REGION, credentials, endpoint};
use super::unique;

/// A topic, and a queue that is subscribed to it.
pub struct Inbox {
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub topic_arn: String,
    pub queue_url: String,
}

/// One notification, as the subscriber receives it.
#[derive(Clone, Debug)]
pub struct Message {
    pub body: String,
    /// The message attributes of type string.
    pub attributes: BTreeMap<String, String>,
    /// `MessageGroupId` and `MessageDeduplicationId`, from a FIFO topic.
    pub fifo: Option<(String, String)>,
}

impl Message {
    /// Parses the body as JSON. Fails if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }
}

impl Inbox {
    /// Creates a topic, and a queue that is subscribed to it.
    pub async fn new() -> Inbox {
        let (sns, sqs) = (sns(&endpoint()), sqs(&endpoint()));
        let name = unique("inbox");
        let topic = sns.create_topic().name(&name);
        let queue = sqs.create_queue().queue_name(&name);
        Inbox::of(topic, queue, sns, sqs).await
    }

    /// Creates a FIFO topic, and a FIFO queue that is subscribed to it.
    pub async fn fifo() -> Inbox {
        let (sns, sqs) = (sns(&endpoint()), sqs(&endpoint()));
        let name = unique("inbox") + ".fifo";
        let topic = sns.create_topic().name(&name);
        let topic = topic.attributes("FifoTopic", "true");
        let queue = sqs.create_queue().queue_name(&name);
        let queue = queue.attributes(QueueAttributeName::FifoQueue, "true");
        Inbox::of(topic, queue, sns, sqs).await
    }

    async fn of(
        topic: CreateTopicFluentBuilder,
        queue: CreateQueueFluentBuilder,
        sns: aws_sdk_sns::Client,
        sqs: aws_sdk_sqs::Client,
    ) -> Inbox {
        let topic_arn = topic.send().await.expect("a topic").topic_arn;
        let queue_url = queue.send().await.expect("a queue").queue_url;
        let inbox = Inbox {
            sns,
            sqs,
            topic_arn: topic_arn.expect("its ARN"),
            queue_url: queue_url.expect("its URL"),
        };
        inbox.subscribe(None).await;
        inbox
    }

    /// Creates another subscriber of the same topic, with a filter policy.
    pub async fn filtered(&self, filter_policy: serde_json::Value) -> Inbox {
        let queue = self.sqs.create_queue().queue_name(unique("filtered"));
        let queue = queue.send().await.expect("a queue");
        let inbox = Inbox {
            sns: self.sns.clone(),
            sqs: self.sqs.clone(),
            topic_arn: self.topic_arn.clone(),
            queue_url: queue.queue_url.expect("its URL"),
        };
        inbox.subscribe(Some(filter_policy)).await;
        inbox
    }

    /// Returns the number of messages in the queue.
    pub async fn waiting(&self) -> usize {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let asked = asked.attribute_names(name.clone()).send().await;
        let attributes = asked.expect("the queue's attributes").attributes;
        attributes
            .and_then(|all| all.get(&name)?.parse().ok())
            .expect("a number of messages")
    }

    /// Receives and deletes messages until there are `count`. Fails if they do not arrive within `timeout`.
    /// Each poll waits for the remaining time, at most 20 s.
    pub async fn receive_until(&self, count: usize, timeout: Duration) -> Vec<Message> {
        let deadline = Instant::now() + timeout;
        let mut received = Vec::new();
        while received.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} of {count} messages after {timeout:?}: {received:#?}",
                received.len()
            );
            received.extend(self.poll(left).await);
        }
        received
    }

    /// Receives and deletes up to ten messages. Waits at most `timeout`, in whole seconds (at most 20), and returns
    /// as soon as there is a message.
    pub async fn poll(&self, timeout: Duration) -> Vec<Message> {
        let seconds = timeout.as_secs_f64().ceil().clamp(0.0, 20.0) as i32;
        let answer = self.sqs.receive_message().queue_url(&self.queue_url);
        let answer = answer
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .wait_time_seconds(seconds)
            .send()
            .await
            .unwrap_or_else(|error| panic!("no answer from the queue: {error:?}"));
        let mut messages = Vec::new();
        for message in answer.messages.unwrap_or_default() {
            let delete = self.sqs.delete_message().queue_url(&self.queue_url);
            let delete = delete.set_receipt_handle(message.receipt_handle);
            delete.send().await.expect("a message that is deleted");
            let attributes = message.message_attributes.unwrap_or_default();
            let mut system = message.attributes.unwrap_or_default();
            let mut taken = |name| system.remove(&name);
            let group = taken(MessageSystemAttributeName::MessageGroupId);
            let deduplication = taken(MessageSystemAttributeName::MessageDeduplicationId);
            messages.push(Message {
                body: message.body.unwrap_or_default(),
                attributes: attributes
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.string_value?)))
                    .collect(),
                fifo: group.zip(deduplication),
            });
        }
        messages
    }

    /// Allows the topic to send to the queue, and subscribes the queue.
    async fn subscribe(&self, filter_policy: Option<serde_json::Value>) {
        let asked = self.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let asked = asked.attribute_names(QueueAttributeName::QueueArn).send();
        let attributes = asked.await.expect("the queue's attributes").attributes;
        let queue_arn = attributes
            .and_then(|mut all| all.remove(&QueueAttributeName::QueueArn))
            .expect("the queue's ARN");
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": self.topic_arn}},
            }],
        });
        let set = self.sqs.set_queue_attributes().queue_url(&self.queue_url);
        set.attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await
            .expect("the queue's policy");
        let subscribe = self.sns.subscribe().topic_arn(&self.topic_arn);
        let subscribe = match filter_policy {
            Some(policy) => subscribe.attributes("FilterPolicy", policy.to_string()),
            None => subscribe,
        };
        subscribe
            .protocol("sqs")
            .endpoint(queue_arn)
            .attributes("RawMessageDelivery", "true")
            .send()
            .await
            .expect("a subscription");
    }
}

/// Creates an SNS client of the calling test.
pub fn sns(endpoint: &str) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sns::Client::from_conf(config)
}

/// Creates an SQS client of the calling test.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(aws_sdk_sqs::config::Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}
