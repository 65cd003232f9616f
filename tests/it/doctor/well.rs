//! A correct configuration.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, CorsConfiguration, CorsRule,
    ExpirationStatus, LifecycleRule, LifecycleRuleFilter, PublicAccessBlockConfiguration,
};

use super::scene::{Report, doctor, everything};
use crate::support::cloud::Bucket;
use crate::support::events::Events;
use crate::support::inbox::Inbox;
use crate::support::serving::Place;

const ORIGIN: &str = "https://app.example.com";

/// Adds a lifecycle rule that deletes the parts of incomplete uploads after this many days.
pub async fn free_parts_after(bucket: &Bucket, days: i32) {
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(days);
    let rule = LifecycleRule::builder()
        .id("parts")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .abort_incomplete_multipart_upload(abort.build())
        .build();
    let rules = BucketLifecycleConfiguration::builder().rules(rule.expect("a rule"));
    let set = bucket.client.put_bucket_lifecycle_configuration();
    set.bucket(&bucket.name)
        .lifecycle_configuration(rules.build().expect("rules"))
        .send()
        .await
        .expect("a lifecycle");
}

async fn close(bucket: &Bucket) {
    let all = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true);
    let set = bucket.client.put_public_access_block();
    set.bucket(&bucket.name)
        .public_access_block_configuration(all.build())
        .send()
        .await
        .expect("a block");
}

async fn open_to_pages(bucket: &Bucket) {
    let rule = CorsRule::builder()
        .allowed_origins(ORIGIN)
        .set_allowed_methods(Some(["GET", "HEAD", "PUT"].map(String::from).to_vec()))
        .allowed_headers("*")
        .expose_headers("ETag");
    let rules = CorsConfiguration::builder().cors_rules(rule.build().expect("a rule"));
    let set = bucket.client.put_bucket_cors().bucket(&bucket.name);
    set.cors_configuration(rules.build().expect("rules"))
        .send()
        .await
        .expect("CORS");
}

#[tokio::test]
async fn correct_configuration_passes_and_leaves_nothing_behind() {
    let place = Place::new().await;
    free_parts_after(&place.bucket, 7).await;
    close(&place.bucket).await;
    open_to_pages(&place.bucket).await;
    place.bucket.put("data/there.csv", "x").await;
    let inbox = Inbox::new().await;
    let (events, dead) = (Events::new().await, Events::new().await);
    events.set_dead_letter_queue(&dead, 10).await;
    let run = doctor(&place)
        .set("BROKER_CORS_ORIGINS", ORIGIN)
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let report = Report::of(run).await;
    report.code(0);
    // This S3 computes no CRC64NVME by itself; the embedded store does.
    let others = ["checksums", "multipart"].map(|check| (check, "warning"));
    assert_eq!(report.others(), others, "{report:#?}");
    report
        .says("credentials", "ok", "static")
        .says("cors", "ok", ORIGIN)
        .says("lifecycle", "ok", "after 7 days")
        .says("topic", "ok", "the topic exists")
        .says("migrations", "ok", "all migrations are applied")
        .says("webhooks", "ok", "there are no webhooks");
    let summary = "24 ok, 2 warnings, 0 failed, 0 unknown";
    assert!(report.ended.err.contains(summary), "{report:#?}");

    // The doctor left nothing behind, and sent no notification.
    assert_eq!(everything(&place.bucket).await, ["data/there.csv"]);
    assert_eq!(inbox.waiting().await, 0);
}

/// All versions of a probe are removed.
#[tokio::test]
async fn no_versions_are_left_in_versioned_bucket() {
    let place = Place::new().await;
    place.bucket.keep_versions().await;
    let report = Report::of(doctor(&place)).await;
    report.code(0).says("versioning", "ok", "on:");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// The text report has one line for each check, with the fix below it.
#[tokio::test]
async fn text_report_has_one_line_per_check_with_fix_below() {
    let place = Place::new().await;
    let open = place.bucket.client.delete_public_access_block();
    let open = open.bucket(&place.bucket.name).send().await;
    open.expect("no block");
    let ended = place.run(&["doctor"]).finish().await.ok();
    for line in [
        "ok           bucket              ",
        "warning      lifecycle           no rule frees the parts",
        "\n                                 fix: add to the lifecycle configuration: ",
        "warning      public-access       not blocked by the bucket (BlockPublicAcls, ",
    ] {
        assert!(ended.out.contains(line), "no {line:?} in {}", ended.out);
    }
}
