//! `topic`: will SNS take events?

use super::patient::Patient;
use super::verdict::Verdict;
use crate::notify::inspect::{TEST_EVENT_TYPE, TopicFault};

pub(super) async fn check(patient: &Patient, publish: bool) -> Verdict {
    let Some(topic) = &patient.topic else {
        return Verdict::ok("none is set: events are kept");
    };
    if publish {
        let published = topic.publish_test(patient.clock.now()).await;
        return published.map_or_else(
            |error| fault(&error),
            |()| {
                Verdict::ok(format!(
                    "it took a notification of the type {TEST_EVENT_TYPE}"
                ))
            },
        );
    }
    match topic.check_exists().await {
        Ok(()) => Verdict::ok("it is there; `--publish` tries it out, and subscribers get it"),
        Err(error @ TopicFault::Refused(_)) => Verdict::unknown(
            error.to_string(),
            "allow sns:GetTopicAttributes to whoever runs the doctor, or try it out with --publish",
        ),
        Err(error) => fault(&error),
    }
}

fn fault(error: &TopicFault) -> Verdict {
    let fix = match error {
        TopicFault::Missing => "make it, or set BROKER_SNS_TOPIC_ARN to the right one",
        TopicFault::Refused(_) => {
            "allow sns:Publish on the topic (`doctor --policy`), and \
             kms:GenerateDataKey and kms:Decrypt on its key where it has one"
        }
        TopicFault::Failed(_) => {
            "check the region in BROKER_SNS_TOPIC_ARN, AWS_ENDPOINT_URL_SNS \
             and the network on the way there"
        }
    };
    Verdict::fault(error, fix)
}
