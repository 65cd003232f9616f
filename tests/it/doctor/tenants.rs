//! The buckets of tenants are checked like the common bucket, each under its name.

use serde_json::{Value, json};

use super::cors::rules;
use super::scene::{CHECKS, doctor, everything};
use crate::support::cloud::Bucket;
use crate::support::process::{FinishedProcess, Run};
use crate::support::serving::Place;

/// The checks of a bucket, in the order of the report.
fn bucket_checks() -> &'static [&'static str] {
    let at = |name| CHECKS.iter().position(|check| *check == name).expect(name);
    &CHECKS[at("bucket")..=at("public-access")]
}

async fn tenant(place: &Place, name: &str, bucket: &str) {
    let create = ["tenants", "create", name, "--bucket", bucket];
    place.run(&create).finish().await.ok();
}

async fn report(run: Run) -> (Vec<Value>, FinishedProcess) {
    let ended = run.finish().await;
    let lines = ended.out.lines();
    let lines = lines.map(|line| serde_json::from_str(line).expect(line));
    (lines.collect(), ended)
}

/// The `check` and `state` of each line about a bucket.
fn of(lines: &[Value], bucket: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let own = lines.iter().filter(|line| line["bucket"] == *bucket);
    own.map(|line| (text(&line["check"]), text(&line["state"])))
        .collect()
}

fn line<'a>(lines: &'a [Value], bucket: &str, check: &str) -> &'a Value {
    let found = lines
        .iter()
        .find(|line| line["bucket"] == *bucket && line["check"] == *check);
    found.unwrap_or_else(|| panic!("no {check} of {bucket} in {lines:#?}"))
}

#[tokio::test]
async fn each_tenant_bucket_is_checked_once_under_its_name() {
    let (place, own) = (Place::new().await, Bucket::new().await);
    own.keep_versions().await;
    own.put("acme/there.csv", "x").await;
    tenant(&place, "acme", &own.name).await;
    // Two tenants share a bucket, and a third one uses the common bucket.
    tenant(&place, "globex", &own.name).await;
    tenant(&place, "initech", &place.bucket.name).await;
    let (lines, ended) = report(doctor(&place)).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
    // The checks of the common bucket and of everything else come first, unchanged.
    let (ours, theirs) = lines.split_at(CHECKS.len());
    for (line, check) in ours.iter().zip(CHECKS) {
        assert_eq!(line["check"], check, "{line:#}");
        let members: Vec<_> = line.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["check", "fix", "state", "why"], "{line:#}");
    }
    let names: Vec<_> = of(theirs, &own.name);
    let names: Vec<_> = names.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(names, bucket_checks(), "{ended:#?}");
    assert_eq!(theirs.len(), names.len(), "{ended:#?}");
    let versioning = line(&lines, &own.name, "versioning")["why"].as_str();
    assert!(
        versioning.is_some_and(|why| why.starts_with("on:")),
        "{lines:#?}"
    );
    // The probes left nothing behind.
    assert_eq!(everything(&own).await, ["acme/there.csv"]);

    let ended = place.run(&["doctor"]).finish().await.ok();
    let row = format!(
        "ok           bucket              {0}: {0} responds\n",
        own.name
    );
    assert!(ended.out.contains(&row), "no {row:?} in {}", ended.out);
}

#[tokio::test]
async fn missing_tenant_bucket_fails_without_affecting_others() {
    let (place, own) = (Place::new().await, Bucket::new().await);
    let missing = format!("{}-gone", own.name);
    tenant(&place, "acme", &own.name).await;
    tenant(&place, "globex", &missing).await;
    let (lines, ended) = report(doctor(&place)).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    let gone = line(&lines, &missing, "bucket");
    assert_eq!(gone["state"], "failed", "{gone:#}");
    assert_eq!(gone["why"], format!("bucket {missing} does not exist"));
    assert_eq!(
        gone["fix"],
        "create it: the bucket of a tenant cannot be changed"
    );
    let rest = of(&lines, &missing);
    let known = rest.iter().filter(|(_, state)| state != "unknown").count();
    assert_eq!((rest.len(), known), (bucket_checks().len(), 1), "{rest:?}");
    // The other buckets are checked all the same.
    assert_eq!(line(&lines, &own.name, "signatures")["state"], "ok");
    assert!(
        lines[..CHECKS.len()]
            .iter()
            .all(|line| line["state"] != "failed")
    );
}

#[tokio::test]
async fn fix_adds_cors_rule_to_each_tenant_bucket() {
    let (place, own) = (Place::new().await, Bucket::new().await);
    tenant(&place, "acme", &own.name).await;
    let origin = "https://app.example.com";
    let look = |run: Run| report(run.set("BROKER_CORS_ORIGINS", origin));
    let (lines, _) = look(doctor(&place)).await;
    assert_eq!(line(&lines, &own.name, "cors")["state"], "failed");
    assert_eq!(rules(&own).await, [], "only --fix adds a rule");
    let (lines, ended) = look(place.run(&["doctor", "--json", "--fix"])).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
    assert_eq!(line(&lines, &own.name, "cors")["state"], "ok");
    for bucket in [&own, &place.bucket] {
        let rules = rules(bucket).await;
        assert_eq!(rules[0].allowed_origins(), [origin], "{rules:#?}");
    }
}

/// The number of checks is bounded, however many tenants there are; the report says what it left
/// out.
#[tokio::test]
async fn only_twenty_tenant_buckets_are_checked_and_the_rest_is_counted() {
    let place = Place::new().await;
    for number in 10..32 {
        // None of the buckets exists, which is quick to find out.
        let bucket = format!("{}-{number}", place.bucket.name);
        tenant(&place, &format!("tenant-{number}"), &bucket).await;
    }
    let (lines, ended) = report(doctor(&place)).await;
    let looked = lines.iter().filter(|line| line["check"] == "bucket");
    assert_eq!(looked.count(), 1 + 20, "{ended:#?}");
    let last = lines.last().expect("a line");
    let next = format!("{}-30", place.bucket.name);
    assert_eq!(
        *last,
        json!({
            "check": "tenant-buckets", "state": "unknown",
            "why": "2 more buckets of tenants were not checked",
            "fix": format!("run the doctor with BROKER_S3_BUCKET={next} and the other buckets"),
        })
    );
    assert!(of(&lines, &next).is_empty(), "{lines:#?}");
}

#[tokio::test]
async fn policy_names_every_tenant_bucket() {
    let place = Place::new().await;
    let common = format!("arn:aws:s3:::{}", place.bucket.name);
    let policy = || place.run(&["doctor", "--policy"]);
    let printed = policy().finish().await.ok().json();
    assert_eq!(printed["Statement"][1]["Resource"], common, "{printed:#}");
    for (name, bucket) in [("acme", "own-b"), ("globex", "own-a"), ("initech", "own-a")] {
        tenant(&place, name, bucket).await;
    }
    tenant(&place, "umbrella", &place.bucket.name).await;
    let printed = policy().finish().await.ok().json();
    let all = [
        common,
        "arn:aws:s3:::own-a".into(),
        "arn:aws:s3:::own-b".into(),
    ];
    let objects = all.clone().map(|bucket| format!("{bucket}/*"));
    assert_eq!(printed["Statement"][0]["Resource"], json!(objects));
    assert_eq!(printed["Statement"][1]["Resource"], json!(all));

    // Without the database, the policy covers the common bucket only, and a warning says so.
    let nowhere = "postgres://user:secret@127.0.0.1:1/none";
    let ended = policy().set("DATABASE_URL", nowhere).finish().await.ok();
    let why = "The policy does not include the buckets of tenants: ";
    assert!(ended.err.contains(why), "{ended:#?}");
    assert!(!ended.err.contains("secret"), "{ended:#?}");
    assert_eq!(
        ended.json()["Statement"][1]["Resource"],
        all[0],
        "{ended:#?}"
    );
}
