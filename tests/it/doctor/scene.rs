//! An environment to check, and the doctor's report about it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::cloud::Bucket;
use crate::support::process::{FinishedProcess, Run};
use crate::support::serving::Place;

/// Every check, in the order of the report.
pub const CHECKS: [&str; 26] = [
    "credentials",
    "clock",
    "tls",
    "public-endpoint",
    "bucket",
    "rights",
    "signatures",
    "conditional-writes",
    "checksums",
    "multipart",
    "cors",
    "versioning",
    "lifecycle",
    "public-access",
    "topic",
    "events-queue",
    "worker-queue",
    "textract",
    "postgres",
    "postgres-tls",
    "migrations",
    "jobs",
    "webhooks",
    "certificate",
    "issuer",
    "programs",
];

/// The report of the doctor.
#[derive(Debug)]
pub struct Report {
    lines: BTreeMap<String, Value>,
    pub ended: FinishedProcess,
}

impl Report {
    /// Runs the doctor to its end. Asserts that its output contains no pre-signed URL.
    pub async fn of(run: Run) -> Report {
        let ended = run.finish().await;
        for secret in ["X-Amz-", "Signature="] {
            let all = format!("{}{}", ended.out, ended.err);
            assert!(!all.contains(secret), "{ended:#?}");
        }
        let lines: Vec<Value> = ended
            .out
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        let name = |line: &Value| line["check"].as_str().expect("a name").to_owned();
        let names: Vec<_> = lines.iter().map(name).collect();
        assert_eq!(names, CHECKS, "{ended:#?}");
        Report {
            lines: lines.into_iter().map(|line| (name(&line), line)).collect(),
            ended,
        }
    }

    /// Asserts the state and the reason of a check; a fix is present exactly if the state is not
    /// `ok`.
    #[track_caller]
    pub fn says(&self, check: &str, state: &str, why: &str) -> &Report {
        let line = &self.lines[check];
        assert_eq!(line["state"], state, "{line:#}");
        let said = line["why"].as_str().expect("a reason");
        assert!(said.contains(why), "no {why:?} in {line:#}");
        assert_eq!(line["fix"].is_null(), state == "ok", "{line:#}");
        self
    }

    /// Asserts the fix of a check.
    #[track_caller]
    pub fn advises(&self, check: &str, fix: &str) -> &Report {
        let line = &self.lines[check];
        let said = line["fix"].as_str().expect("a fix");
        assert!(said.contains(fix), "no {fix:?} in {line:#}");
        self
    }

    /// The checks that are not ok, with their states.
    pub fn others(&self) -> Vec<(&str, &str)> {
        (CHECKS.iter())
            .map(|name| (*name, self.lines[*name]["state"].as_str().expect("a state")))
            .filter(|(_, state)| *state != "ok")
            .collect()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Report {
        assert_eq!(self.ended.status.code(), Some(code), "{self:#?}");
        self
    }
}

/// The doctor for this environment, with its JSON report.
pub fn doctor(place: &Place) -> Run {
    place.run(&["doctor", "--json"])
}

/// Everything in a bucket: objects, old versions, delete markers, open multipart uploads.
pub async fn everything(bucket: &Bucket) -> Vec<String> {
    let all = bucket.client.list_object_versions().bucket(&bucket.name);
    let all = all.send().await.expect("versions");
    let versions = all.versions().iter().filter_map(|version| version.key());
    let markers = all
        .delete_markers()
        .iter()
        .filter_map(|marker| marker.key());
    let mut keys: Vec<_> = versions.chain(markers).map(str::to_owned).collect();
    keys.extend(bucket.open_keys().await);
    keys
}
