//! `topic`: does SNS accept events?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::notify::inspect::{TEST_EVENT_TYPE, TopicFault};

pub(super) async fn check_topic(context: &CheckContext, publish: bool) -> Verdict {
    let Some(topic) = &context.topic else {
        return Verdict::ok("no topic is set: events are only stored");
    };
    if publish {
        let published = topic.publish_test(context.clock.now()).await;
        return published.map_or_else(
            |error| error_verdict(&error),
            |()| {
                Verdict::ok(format!(
                    "the topic accepted a notification of the type {TEST_EVENT_TYPE}"
                ))
            },
        );
    }
    match topic.check_exists().await {
        Ok(()) => Verdict::ok(
            "the topic exists; use `--publish` to send a test notification to its subscribers",
        ),
        Err(error @ TopicFault::Refused(_)) => Verdict::unknown(
            error.to_string(),
            "allow sns:GetTopicAttributes to the user who runs the doctor, or use --publish",
        ),
        Err(error) => error_verdict(&error),
    }
}

fn error_verdict(error: &TopicFault) -> Verdict {
    let fix = match error {
        TopicFault::Missing => "create it, or set BROKER_SNS_TOPIC_ARN to an existing topic",
        TopicFault::Refused(_) => {
            "allow sns:Publish on the topic (`doctor --policy`), and \
             kms:GenerateDataKey and kms:Decrypt on its KMS key, if it has one"
        }
        TopicFault::Failed(_) => {
            "check the region in BROKER_SNS_TOPIC_ARN, AWS_ENDPOINT_URL_SNS \
             and the network connection"
        }
    };
    Verdict::error(error, fix)
}
