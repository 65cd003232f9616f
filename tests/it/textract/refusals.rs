//! Settings of Textract that cannot work.

use crate::support::process::Run;
use crate::support::serving::Place;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:ends";
const ROLE: &str = "arn:aws:iam::123456789012:role/textract";
const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs";

async fn check_settings(place: &Place, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let run = place.run(&["check-config"]);
    let run = settings
        .iter()
        .fold(run, |run: Run, (name, value)| run.set(name, value));
    let ended = run.finish().await;
    (ended.status.code(), format!("{}{}", ended.out, ended.err))
}

#[tokio::test]
async fn settings_of_textract_are_checked_together() {
    let place = Place::new().await;
    let engine = ("BROKER_PDF_ENGINE", "textract");
    let topic = ("BROKER_TEXTRACT_TOPIC_ARN", TOPIC);
    let role = ("BROKER_TEXTRACT_ROLE_ARN", ROLE);
    let queue = ("BROKER_WORKER_QUEUE_URL", QUEUE);
    for valid in [&[engine][..], &[engine, topic, role, queue], &[topic]] {
        let (code, output) = check_settings(&place, valid).await;
        assert_eq!(code, Some(0), "{valid:?}: {output}");
    }
    let fifo = (
        "BROKER_TEXTRACT_TOPIC_ARN",
        "arn:aws:sns:eu-central-1:123456789012:ends.fifo",
    );
    for (settings, named, why) in [
        (
            &[("BROKER_PDF_ENGINE", "tesseract")][..],
            "BROKER_PDF_ENGINE",
            "embedded or textract",
        ),
        (
            &[engine, topic, queue],
            "BROKER_TEXTRACT_ROLE_ARN",
            "must be set",
        ),
        (
            &[engine, role, queue],
            "BROKER_TEXTRACT_TOPIC_ARN",
            "must be set",
        ),
        (
            &[engine, topic, role],
            "BROKER_TEXTRACT_TOPIC_ARN",
            "needs BROKER_WORKER_QUEUE_URL",
        ),
        (
            &[engine, fifo, role, queue],
            "BROKER_TEXTRACT_TOPIC_ARN",
            "standard topic",
        ),
        (
            &[engine, ("BROKER_TEXTRACT_ROLE_ARN", "me")],
            "BROKER_TEXTRACT_ROLE_ARN",
            "ARN of a role",
        ),
    ] {
        let (code, output) = check_settings(&place, settings).await;
        assert_eq!(code, Some(78), "{settings:?}: {output}");
        let line = output.lines().find(|line| line.contains(named));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{settings:?}: {output}"
        );
    }
}
