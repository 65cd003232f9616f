//! `doctor --policy`: the least that the broker's role needs. The README shows the same.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::output::{bad_config, complain};
use crate::config::{self, Notify, QueueUrl, S3, S3Events, Section as _};

pub(super) fn print() -> ExitCode {
    let (s3, notify, events) = (
        S3::load(config::env),
        Notify::load(config::env),
        S3Events::load(config::env),
    );
    let (s3, notify, events) = match (s3, notify, events) {
        (Ok(s3), Ok(notify), Ok(events)) => (s3, notify, events),
        (s3, notify, events) => {
            let faults = [s3.err(), notify.err(), events.err()];
            let faults: Vec<_> = faults.into_iter().flatten().flatten().collect();
            return bad_config(&faults);
        }
    };
    let topic = notify.topic.as_ref();
    let region = config::env("AWS_REGION");
    let region = topic.map(|topic| topic.region()).or(region.as_deref());
    let partition = partition(region.unwrap_or_default());
    let document = document(
        partition,
        &s3.bucket,
        topic.map(|topic| topic.as_str()),
        events
            .queue
            .as_ref()
            .map(|queue| arn(partition, queue))
            .as_deref(),
    );
    println!("{document:#}");
    complain(
        "With it: s3:PutObjectTagging where uploads declare tags; kms:GenerateDataKey and \
         kms:Decrypt on the key of a bucket or topic with KMS. The doctor itself looks at more: see \
         its \"cannot tell\".",
    );
    ExitCode::SUCCESS
}

/// The policy, for a bucket and perhaps a topic and a queue, by their ARNs.
fn document(partition: &str, bucket: &str, topic: Option<&str>, queue: Option<&str>) -> Value {
    let allow = |actions: &[&str], resource: String| json!({"Effect": "Allow", "Action": actions, "Resource": resource});
    let objects = [
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ];
    let listing = ["s3:ListBucket", "s3:ListBucketMultipartUploads"];
    let reading = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
    ];
    let mut statements = vec![
        allow(&objects, format!("arn:{partition}:s3:::{bucket}/*")),
        allow(&listing, format!("arn:{partition}:s3:::{bucket}")),
    ];
    statements.extend(topic.map(|arn| allow(&["sns:Publish"], arn.to_owned())));
    statements.extend(queue.map(|arn| allow(&reading, arn.to_owned())));
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// ARNs of China and GovCloud begin otherwise.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The ARN behind `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
fn arn(partition: &str, queue: &QueueUrl) -> String {
    let mut parts = queue.as_str().rsplit('/');
    let (name, account) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
    let region = queue.region().unwrap_or("*");
    format!("arn:{partition}:sqs:{region}:{account}:{name}")
}
