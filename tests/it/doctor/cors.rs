//! CORS: what web pages may do, and `--fix`.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};

use super::scene::{Report, doctor, everything};
use crate::support::cloud::Bucket;
use crate::support::process::Run;
use crate::support::serving::Place;

const ORIGINS: &str = "https://app.example.com,http://localhost:3000";

pub async fn rules(bucket: &Bucket) -> Vec<CorsRule> {
    let rules = bucket.client.get_bucket_cors().bucket(&bucket.name);
    let rules = rules.send().await.map(|output| output.cors_rules);
    rules.ok().flatten().unwrap_or_default()
}

async fn set(bucket: &Bucket, rule: CorsRule) {
    let rules = CorsConfiguration::builder().cors_rules(rule).build();
    let set = bucket.client.put_bucket_cors().bucket(&bucket.name);
    let set = set.cors_configuration(rules.expect("rules")).send().await;
    set.expect("CORS");
}

fn fix(place: &Place) -> Run {
    place
        .run(&["doctor", "--json", "--fix"])
        .set("BROKER_CORS_ORIGINS", ORIGINS)
}

#[tokio::test]
async fn fix_adds_missing_cors_rule_only_when_requested() {
    let place = Place::new().await;
    let look = || doctor(&place).set("BROKER_CORS_ORIGINS", ORIGINS);
    let report = Report::of(look()).await;
    report
        .code(1)
        .says(
            "cors",
            "failed",
            "pages of https://app.example.com may not send PUT",
        )
        .advises("cors", "doctor --fix");
    assert_eq!(rules(&place.bucket).await, [], "only --fix adds a rule");

    let report = Report::of(fix(&place)).await;
    report.code(0).says("cors", "ok", "was added");
    let written = rules(&place.bucket).await;
    assert_eq!(written.len(), 1, "{written:#?}");
    assert_eq!(written[0].allowed_origins().join(","), ORIGINS);
    Report::of(look()).await.code(0).says("cors", "ok", "");
    Report::of(fix(&place)).await.code(0);
    assert_eq!(
        rules(&place.bucket).await,
        written,
        "nothing was to be done"
    );
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}

/// Rules of other programs are kept, also one that matches partly: our rule is placed before it.
#[tokio::test]
async fn fix_keeps_foreign_rules_and_origins_of_other_brokers() {
    let place = Place::new().await;
    let others = CorsRule::builder()
        .id("theirs")
        .allowed_origins("*")
        .set_allowed_methods(Some(["GET", "PUT"].map(String::from).to_vec()))
        .allowed_headers("*")
        .expose_headers("x-amz-request-id")
        .max_age_seconds(60)
        .build()
        .expect("a rule");
    set(&place.bucket, others.clone()).await;
    let report = Report::of(doctor(&place).set("BROKER_CORS_ORIGINS", ORIGINS)).await;
    report.code(1).says("cors", "failed", "may not read ETag");

    Report::of(fix(&place)).await.code(0).says("cors", "ok", "");
    let written = rules(&place.bucket).await;
    assert_eq!(written.len(), 2, "{written:#?}");
    assert_eq!(written[1], others);

    // Another broker of the same bucket has other origins; those of the first are kept.
    let more = fix(&place).set("BROKER_CORS_ORIGINS", "https://other.example.com");
    let report = Report::of(more.set("BROKER_S3_CONDITIONAL_WRITES", "on")).await;
    report.code(0);
    let written = rules(&place.bucket).await;
    assert_eq!(written[1], others);
    let origins = written[0].allowed_origins().join(",");
    assert_eq!(origins, format!("{ORIGINS},https://other.example.com"));
}

#[tokio::test]
async fn rule_without_required_headers_fails() {
    let place = Place::new().await;
    let rule = CorsRule::builder()
        .allowed_origins("https://app.example.com")
        .set_allowed_methods(Some(["GET", "PUT"].map(String::from).to_vec()))
        .allowed_headers("content-type")
        .expose_headers("ETag");
    set(&place.bucket, rule.build().expect("a rule")).await;
    let run = doctor(&place).set("BROKER_CORS_ORIGINS", "https://app.example.com");
    Report::of(run)
        .await
        .code(1)
        .says("cors", "failed", "may not send PUT");
}
