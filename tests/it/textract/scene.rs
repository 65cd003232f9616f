//! A broker whose rules extract the text of documents, and workers that use Textract.

use serde_json::Value;
use tempfile::TempDir;

use super::service::TextractService;
use crate::support::app::id;
use crate::support::database;
use crate::support::observe::{TIMEOUT, within};
use crate::support::process::{Process, Run};
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

const RULES: &str = r#"
[[rule]]
processor = "pdf-text"
content_types = ["application/pdf"]

[[rule]]
processor = "csv-aggregate"
paths = ["/plays/**"]
options = { group_by = ["Song"], aggregates = [{ function = "count" }] }
"#;

/// A broker, Textract, and a place for workers.
pub struct Scene {
    pub place: Place,
    pub textract: TextractService,
    pub folder: TempDir,
    _broker: Process,
    pub caller: Caller,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(&[]).await
    }

    /// With further settings of the broker.
    pub async fn with(settings: &[(&str, String)]) -> Scene {
        let place = Place::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("rules.toml");
        std::fs::write(&rules, RULES).expect("a file of rules");
        let run = place.serve().with(settings);
        let run = run.set("BROKER_PROCESSORS_FILE", rules.display());
        let (broker, caller) = place.start(run).await;
        Scene {
            place,
            textract: TextractService::new(),
            folder,
            _broker: broker,
            caller,
        }
    }

    /// A worker with one slot. Its PATH has no programs.
    pub fn worker(&self) -> Run {
        let run = self.textract.settings(self.place.run(&["worker"]));
        run.set("BROKER_WORKER_BIND", "127.0.0.1:0")
            .set("BROKER_WORKER_PROCESSORS", "pdf-text,csv-aggregate")
            .set("BROKER_WORKER_JOBS", 1)
            .set("BROKER_WORKER_LEASE_SECONDS", 5)
            .set("BROKER_WORKER_SCRATCH", self.folder.path().display())
            .set("PATH", "/nonexistent")
    }

    /// Uploads a file. What is in it does not matter: the service has the text.
    pub async fn upload(&self, path: &str) -> Value {
        self.caller.upload(path, "%PDF-1.7\n").await
    }

    pub async fn wait_for_status(&self, upload: &Value, wanted: &str) {
        let what = format!("{} is {wanted}", upload["path"]);
        within(TIMEOUT * 3, &what, async || {
            self.caller.read(upload).await["status"] == wanted
        })
        .await;
    }

    /// The only job of an upload.
    pub async fn job(&self, upload: &Value) -> Value {
        let mut jobs = self.caller.jobs_of(upload).await;
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        jobs.remove(0)
    }

    /// Waits until the message of the only job of an upload contains `part`, and returns the job.
    pub async fn wait_for_message(&self, upload: &Value, part: &str) -> Value {
        let mut job = Value::Null;
        let what = format!("the message contains {part:?}");
        within(TIMEOUT * 3, &what, async || {
            job = self.job(upload).await;
            job["message"]
                .as_str()
                .is_some_and(|message| message.contains(part))
        })
        .await;
        job
    }

    pub async fn text(&self, upload: &Value, query: &str) -> Reply {
        let path = format!("/uploads/{}/text{query}", id(upload));
        self.caller.get(&path).await
    }

    /// Makes the job of an upload due, whose back-off would take longer than a test.
    pub async fn make_due(&self, upload: &Value) {
        let client = database::connect(self.place.database.url()).await;
        let due = format!(
            "UPDATE jobs SET due_at = now() WHERE upload_id = '{}'",
            id(upload)
        );
        client.batch_execute(&due).await.expect("a job");
    }

    /// The number of rows that Textract's work has left, of any job.
    pub async fn detections(&self) -> i64 {
        let client = database::connect(self.place.database.url()).await;
        let count =
            "SELECT (SELECT count(*) FROM text_detections) + (SELECT count(*) FROM detected_text)";
        client.query_one(count, &[]).await.expect("a count").get(0)
    }
}
