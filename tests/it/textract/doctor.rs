//! The doctor asks Textract, and its policy has what the broker needs.

use serde_json::{Value, json};

use super::service::{Fault, GET, START, TextractService};
use crate::support::process::Run;
use crate::support::serving::Place;

async fn verdict(run: Run) -> Value {
    let ended = run.finish().await;
    let mut lines = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    let verdict = lines.find(|line: &Value| line["check"] == "textract");
    verdict.unwrap_or_else(|| panic!("{ended:#?}"))
}

#[tokio::test]
async fn doctor_reports_whether_textract_answers_and_starts_nothing() {
    let place = Place::new().await;
    let textract = TextractService::new();
    let doctor = || textract.settings(place.run(&["doctor", "--json"]));
    let seen = verdict(doctor()).await;
    assert_eq!(seen["state"], "ok", "{seen:#}");

    textract.fail_next(GET, [Fault::Error("AccessDeniedException")]);
    let seen = verdict(doctor()).await;
    assert_eq!(seen["state"], "failed", "{seen:#}");
    let fix = seen["fix"].as_str().expect("a fix");
    assert!(
        fix.contains("textract:GetDocumentTextDetection"),
        "{seen:#}"
    );

    textract.fail_next(GET, vec![Fault::Closed; 3]);
    let seen = verdict(doctor()).await;
    assert_eq!(seen["state"], "failed", "{seen:#}");
    assert!(textract.calls(START).is_empty());
}

#[tokio::test]
async fn policy_has_the_actions_of_textract_and_the_role_that_is_passed() {
    let place = Place::new().await;
    let role = "arn:aws:iam::123456789012:role/textract";
    let policy = place
        .run(&["doctor", "--policy"])
        .set("BROKER_PDF_ENGINE", "textract")
        .set(
            "BROKER_TEXTRACT_TOPIC_ARN",
            "arn:aws:sns:eu-central-1:123456789012:ends",
        )
        .set("BROKER_TEXTRACT_ROLE_ARN", role)
        .set(
            "BROKER_WORKER_QUEUE_URL",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs",
        );
    let policy = policy.finish().await.ok().json();
    let statements = policy["Statement"].as_array().expect("statements");
    for (actions, resource) in [
        (
            json!([
                "textract:StartDocumentTextDetection",
                "textract:GetDocumentTextDetection"
            ]),
            "*",
        ),
        (json!(["iam:PassRole"]), role),
    ] {
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resource});
        assert!(statements.contains(&statement), "{policy:#}");
    }
}
