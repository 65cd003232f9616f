//! A broker whose rules queue jobs, and workers beside it.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::observe::{TIMEOUT, eventually, within};
use crate::support::process::{FinishedProcess, Process, Run};
use crate::support::serving::{Caller, Place};

const RULES: &str = r#"
[[rule]]
processor = "csv-aggregate"
paths = ["/plays/**"]
options = { group_by = ["Song", "Date"], aggregates = [{ function = "sum", column = "Number of Plays" }] }

[[rule]]
processor = "trial"
external = true
paths = ["/slow/**"]
options = { sleep = 2500 }

[[rule]]
processor = "trial"
external = true
paths = ["/long/**"]
options = { sleep = 18000 }

[[rule]]
processor = "trial"
external = true
paths = ["/abort/**"]
options = { fail = "broken" }

[[rule]]
processor = "trial"
external = true
paths = ["/named/**"]
options = { named = ["small", "large"] }

[[rule]]
processor = "csv-merge"
content_types = ["application/vnd.upload-broker.plan+json"]
"#;

/// A broker whose rules queue jobs, and a place for workers.
pub(super) struct Scene {
    pub(super) place: Place,
    pub(super) folder: TempDir,
    _broker: Process,
    pub(super) caller: Caller,
}

impl Scene {
    pub(super) async fn new() -> Scene {
        Scene::with(&[]).await
    }

    /// With further settings of the broker.
    pub(super) async fn with(settings: &[(&str, String)]) -> Scene {
        let place = Place::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let rules = RULES;
        std::fs::write(rules_file(&folder), rules).expect("a file of rules");
        let run = place
            .serve()
            .with(settings)
            .set("BROKER_PROCESSORS_FILE", rules_file(&folder).display());
        let (broker, caller) = place.start(run).await;
        Scene {
            place,
            folder,
            _broker: broker,
            caller,
        }
    }

    pub(super) fn worker(&self, processors: &str) -> Run {
        self.place
            .run(&["worker"])
            .set("BROKER_WORKER_BIND", "127.0.0.1:0")
            .set("BROKER_WORKER_PROCESSORS", processors)
            .set("BROKER_WORKER_LEASE_SECONDS", 5)
            .set("BROKER_WORKER_SCRATCH", self.folder.path().display())
    }

    /// Creates the tenant `small`, and returns a caller of it.
    pub(super) async fn other_tenant(&self) -> Caller {
        let create = ["tenants", "create", "small", "--prefix", "small/"];
        self.place.run(&create).finish().await.ok();
        let scopes = "uploads:write,uploads:read";
        let issue = [
            "keys", "create", "--json", "--tenant", "small", "--scopes", scopes,
        ];
        let issued = self.place.run(&issue).finish().await.ok().json();
        let key = issued["key"].as_str().expect("a key").to_owned();
        Caller::new(self.caller.url.clone(), key)
    }

    /// Runs the command-line client.
    pub(super) async fn client(&self, args: &[&str]) -> FinishedProcess {
        let run = self.place.run(args);
        let run = run.set("UPLOAD_BROKER_URL", &self.caller.url);
        run.set("UPLOAD_BROKER_KEY", &self.caller.key)
            .finish()
            .await
    }

    pub(super) async fn jobs(&self, upload: &Value) -> Vec<Value> {
        self.caller.jobs_of(upload).await
    }

    pub(super) async fn status(&self, upload: &Value) -> String {
        let now = self.caller.read(upload).await;
        now["status"].as_str().expect("a status").to_owned()
    }

    pub(super) async fn wait_for_status(&self, upload: &Value, wanted: &str) {
        let what = format!("the upload is {wanted}");
        within(TIMEOUT * 2, &what, async || {
            self.status(upload).await == wanted
        })
        .await;
    }

    pub(super) async fn wait_until_running(&self, upload: &Value) {
        eventually("the job runs", async || {
            let jobs = self.jobs(upload).await;
            jobs.iter().any(|job| job["status"] == "Running")
        })
        .await;
    }

    pub(super) fn assert_no_temporary_file(&self) {
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name != "rules.toml")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn rules_file(folder: &TempDir) -> PathBuf {
    folder.path().join("rules.toml")
}
