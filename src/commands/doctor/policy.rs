//! `doctor --policy`: prints the minimal IAM policy of the broker's role, which is also in the
//! README.
//!
//! It does not need the database. If `DATABASE_URL` is set, the policy includes the buckets of
//! tenants.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::output::{causes, print_stderr, report_invalid_settings};
use super::time_limit::TIME_LIMIT;
use crate::config::{
    self, Database, Notify, PdfEngine, QueueUrl, S3, S3Events, Section as _, Worker,
};
use crate::store::{pool, tenants};

pub(super) async fn print() -> ExitCode {
    let (s3, notify, events, worker) = (
        S3::load(config::env),
        Notify::load(config::env),
        S3Events::load(config::env),
        Worker::load(config::env),
    );
    let (s3, notify, events, worker) = match (s3, notify, events, worker) {
        (Ok(s3), Ok(notify), Ok(events), Ok(worker)) => (s3, notify, events, worker),
        (s3, notify, events, worker) => {
            let faults = [s3.err(), notify.err(), events.err(), worker.err()];
            let faults: Vec<_> = faults.into_iter().flatten().flatten().collect();
            return report_invalid_settings(&faults);
        }
    };
    let topic = notify.topic.as_ref();
    let region = config::env("AWS_REGION");
    let region = topic.map(|topic| topic.region()).or(region.as_deref());
    let partition = partition(region.unwrap_or_default());
    let mut buckets = vec![s3.bucket];
    match tenant_buckets().await {
        Ok(mut own) => {
            own.retain(|own| !buckets.contains(own));
            buckets.extend(own);
        }
        Err(why) => print_stderr(&format!(
            "The policy does not include the buckets of tenants: {why}"
        )),
    }
    let queues = [&events.queue, &worker.queue].into_iter().flatten();
    let queues: Vec<String> = queues.map(|queue| arn(partition, queue)).collect();
    let document = document(
        partition,
        &buckets,
        topic.map(|topic| topic.as_str()),
        &queues,
        &worker.pdf_engine,
    );
    println!("{document:#}");
    print_stderr(
        "Add s3:PutObjectTagging if uploads declare tags, s3:GetObjectTagging if datasets with tags \
         are copied, and kms:GenerateDataKey and kms:Decrypt on the KMS key of a bucket or topic. \
         The doctor itself reads more: see its \"unknown\" verdicts.",
    );
    ExitCode::SUCCESS
}

/// The buckets of tenants, or why they are unknown.
async fn tenant_buckets() -> Result<Vec<String>, String> {
    if config::env("DATABASE_URL").is_none_or(|url| url.trim().is_empty()) {
        return Ok(vec![]);
    }
    let database = Database::load(config::env).map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        faults.join("; ")
    })?;
    let query = async {
        let mut connection = pool::connect(database.url.expose())
            .await
            .map_err(|error| causes(&error))?;
        let found = tenants::buckets(&mut connection).await;
        found.map_err(|error| causes(&error))
    };
    let query = tokio::time::timeout(TIME_LIMIT, query).await;
    query.unwrap_or_else(|_| Err(format!("no answer within {} s", TIME_LIMIT.as_secs())))
}

/// The policy for these buckets, and for the topic and the queues if there are any, by their ARNs.
fn document(
    partition: &str,
    buckets: &[String],
    topic: Option<&str>,
    queues: &[String],
    engine: &PdfEngine,
) -> Value {
    let allow = |actions: &[&str], resource: Value| json!({"Effect": "Allow", "Action": actions, "Resource": resource});
    let each = |end: &str| {
        let arn = |bucket: &String| format!("arn:{partition}:s3:::{bucket}{end}");
        match buckets {
            [bucket] => json!(arn(bucket)),
            all => json!(all.iter().map(arn).collect::<Vec<_>>()),
        }
    };
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
    let mut statements = vec![allow(&objects, each("/*")), allow(&listing, each(""))];
    statements.extend(topic.map(|arn| allow(&["sns:Publish"], json!(arn))));
    statements.extend(match queues {
        [] => None,
        [queue] => Some(allow(&reading, json!(queue))),
        all => Some(allow(&reading, json!(all))),
    });
    if let PdfEngine::Textract(channel) = engine {
        // These actions have no resources.
        let detection = [
            "textract:StartDocumentTextDetection",
            "textract:GetDocumentTextDetection",
        ];
        statements.push(allow(&detection, json!("*")));
        let passed = channel.as_ref().map(|channel| json!(channel.role));
        statements.extend(passed.map(|role| allow(&["iam:PassRole"], role)));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The partition of a region: the ARNs of China and GovCloud start differently.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The ARN of the queue `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
fn arn(partition: &str, queue: &QueueUrl) -> String {
    let mut parts = queue.as_str().rsplit('/');
    let (name, account) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
    let region = queue.region().unwrap_or("*");
    format!("arn:{partition}:sqs:{region}:{account}:{name}")
}
