//! `doctor --policy` prints the policy of the page on the bucket for this bucket, topic and queue.

use serde_json::{Value, json};

use crate::support::process::Run;

fn policy(bucket: &str) -> Run {
    Run::new(&["doctor", "--policy"]).set("BROKER_S3_BUCKET", bucket)
}

#[tokio::test]
async fn policy_equals_the_one_in_readme() {
    let printed = policy("datasets").finish().await.ok();
    let shown = crate::readme::block("policy").replace("BUCKET", "datasets");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(
        printed.json(),
        shown,
        "docs/src/guides/operators/bucket.md shows another policy"
    );
    assert!(printed.err.contains("s3:PutObjectTagging"), "{printed:#?}");
}

#[tokio::test]
async fn policy_has_topic_and_queue_of_the_settings() {
    let run = policy("datasets")
        .set(
            "BROKER_SNS_TOPIC_ARN",
            "arn:aws-cn:sns:cn-north-1:123456789012:events",
        )
        .set(
            "BROKER_S3_EVENTS_QUEUE_URL",
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/arrivals",
        );
    let printed = run.finish().await.ok().json();
    let statements = printed["Statement"].as_array().expect("statements");
    let of = |action: &str| {
        let has = |statement: &&Value| {
            let actions = statement["Action"].as_array().expect("actions");
            actions.contains(&json!(action))
        };
        statements.iter().find(has).expect(action)["Resource"].clone()
    };
    assert_eq!(of("s3:PutObject"), "arn:aws-cn:s3:::datasets/*");
    assert_eq!(
        of("sns:Publish"),
        "arn:aws-cn:sns:cn-north-1:123456789012:events"
    );
    let queue = "arn:aws-cn:sqs:cn-north-1:123456789012:arrivals";
    assert_eq!(of("sqs:ReceiveMessage"), queue);
    assert_eq!(of("sqs:ChangeMessageVisibility"), queue);
}

#[tokio::test]
async fn policy_has_the_queue_of_workers_beside_that_of_s3() {
    let queue = |name: &str| format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{name}");
    let run = policy("datasets")
        .set("BROKER_S3_EVENTS_QUEUE_URL", queue("arrivals"))
        .set("BROKER_WORKER_QUEUE_URL", queue("jobs"));
    let printed = run.finish().await.ok().json();
    let queues =
        ["arrivals", "jobs"].map(|name| format!("arn:aws:sqs:eu-west-1:123456789012:{name}"));
    let statements = printed["Statement"].as_array().expect("statements");
    let last = statements.last().expect("a statement");
    assert_eq!(last["Resource"], json!(queues), "{printed:#}");
}

#[tokio::test]
async fn policy_needs_only_the_bucket_setting() {
    let ended = Run::new(&["doctor", "--policy"]).finish().await;
    let ended = ended.expect_failure(78, &["BROKER_S3_BUCKET"]);
    assert!(!ended.err.contains("DATABASE_URL"), "{ended:#?}");
    policy("datasets")
        .set("BROKER_SNS_TOPIC_ARN", "nowhere")
        .finish()
        .await
        .expect_failure(78, &["BROKER_SNS_TOPIC_ARN"]);
}
