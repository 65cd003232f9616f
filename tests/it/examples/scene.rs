//! A broker with a topic and a queue, and one of the examples as its worker.

use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::app::id;
use crate::support::cloud;
use crate::support::events::Events;
use crate::support::inbox::Inbox;
use crate::support::observe::{TIMEOUT, eventually, within};
use crate::support::process::{Process, Run};
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

/// The jobs of the puller are queued by a rule. Those of the subscriber are created by its claims.
const RULES: &str = r#"
[[rule]]
processor = "digest"
external = true
paths = ["/pull/**"]
"#;

/// Functions that the examples run instead of their own.
const WORK: &str = r#"
import os
import time


def wait(dataset, options, progress):
    """Works until the file GATE exists."""
    size = len(dataset.read())
    while not os.path.exists(os.environ["GATE"]):
        progress(0.5)
        time.sleep(0.02)
    return {"size": size}


def fail(dataset, options, progress):
    raise ValueError("row 3 has no date")
"#;

/// The length of a lease, the shortest that the broker allows.
pub const LEASE_SECONDS: u32 = 5;

/// One of the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    Subscriber,
    Puller,
}

/// A broker and the dependencies of an example.
pub struct Scene {
    example: Example,
    pub place: Place,
    pub inbox: Inbox,
    /// The queue that is subscribed to the topic.
    pub queue: Events,
    pub caller: Caller,
    _broker: Process,
    folder: TempDir,
    key: String,
}

impl Example {
    /// The processor of its jobs.
    pub fn processor(self) -> &'static str {
        match self {
            Example::Subscriber => "count",
            Example::Puller => "digest",
        }
    }

    /// The scopes that its documentation names.
    fn scopes(self) -> &'static str {
        match self {
            Example::Subscriber => "processing:write,datasets:read,uploads:write",
            Example::Puller => "processing:write,uploads:write",
        }
    }

    /// The arguments of Python. The puller has to work without any installed package.
    fn arguments(self) -> Vec<String> {
        let script = |name: &str| format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"));
        match self {
            Example::Subscriber => vec![script("subscriber/subscriber.py")],
            Example::Puller => vec!["-S".to_owned(), script("puller/puller.py")],
        }
    }
}

impl Scene {
    pub async fn new(example: Example) -> Scene {
        Scene::with(example, &[]).await
    }

    /// With further settings of the broker.
    pub async fn with(example: Example, settings: &[(&str, String)]) -> Scene {
        let place = Place::new().await;
        let inbox = Inbox::new().await;
        let queue = Events::at(inbox.sqs.clone(), inbox.queue_url.clone()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("rules.toml");
        std::fs::write(&rules, RULES).expect("a file of rules");
        std::fs::write(folder.path().join("work.py"), WORK).expect("a module");
        let run = place
            .serve()
            .with(settings)
            .set("BROKER_PROCESSORS_FILE", rules.display())
            .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn);
        let (broker, caller) = place.start(run).await;
        let made = place.run(&["keys", "create", "--json", "--scopes", example.scopes()]);
        let made = made.finish().await.ok().json();
        Scene {
            example,
            place,
            inbox,
            queue,
            caller,
            _broker: broker,
            folder,
            key: made["key"].as_str().expect("a key").to_owned(),
        }
    }

    /// The example, with the function that it has.
    pub fn worker(&self) -> Run {
        let arguments = self.example.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = Run::python(&arguments)
            .set("PYTHONPATH", self.folder.path().display())
            .set("UPLOAD_BROKER_URL", &self.caller.url)
            .set("UPLOAD_BROKER_KEY", &self.key)
            .set("LEASE_SECONDS", LEASE_SECONDS)
            .set("WAIT_SECONDS", 2)
            .set("RETRY_SECONDS", 2);
        match self.example {
            Example::Subscriber => run
                .with(&cloud::settings())
                .set("QUEUE_URL", &self.queue.url),
            Example::Puller => run,
        }
    }

    /// The example, with a function that works until [`open`](Self::open) is called for `gate`.
    pub fn waiting_worker(&self, gate: &str) -> Run {
        self.worker()
            .set("WORK", "work:wait")
            .set("GATE", self.gate(gate).display())
    }

    /// Lets the functions that wait for `gate` end.
    pub fn open(&self, gate: &str) {
        std::fs::write(self.gate(gate), "").expect("a file");
    }

    fn gate(&self, gate: &str) -> PathBuf {
        self.folder.path().join(gate)
    }

    /// Uploads a dataset that the example has to process.
    pub async fn upload(&self, name: &str, text: &str) -> Value {
        let folder = match self.example {
            Example::Subscriber => "push",
            Example::Puller => "pull",
        };
        self.caller.upload(&format!("/{folder}/{name}"), text).await
    }

    pub async fn jobs(&self, upload: &Value) -> Vec<Value> {
        self.caller.jobs_of(upload).await
    }

    /// The only job of an upload.
    pub async fn job(&self, upload: &Value) -> Value {
        let jobs = self.jobs(upload).await;
        let [job] = &jobs[..] else {
            panic!("not one job: {jobs:#?}");
        };
        job.clone()
    }

    pub async fn read(&self, upload: &Value) -> Value {
        self.caller.read(upload).await
    }

    pub async fn wait_for_status(&self, upload: &Value, wanted: &str) {
        let what = format!("the upload is {wanted}");
        within(TIMEOUT * 2, &what, async || {
            self.read(upload).await["status"] == wanted
        })
        .await;
    }

    /// Waits until the function of the example works on the upload: it has reported its progress.
    pub async fn wait_until_working(&self, upload: &Value) {
        eventually("the worker has reported its progress", async || {
            let jobs = self.jobs(upload).await;
            jobs.iter()
                .any(|job| job["status"] == "Running" && job["progress"] == 0.5)
        })
        .await;
    }

    pub async fn event_types(&self, upload: &Value) -> Vec<String> {
        let events = self
            .caller
            .get(&format!("/uploads/{}/events", id(upload)))
            .await;
        let events = events.expect(StatusCode::OK);
        let kinds = events.as_array().expect("an array").iter();
        let kinds = kinds.map(|event| event["type"].as_str().expect("a type").to_owned());
        kinds.collect()
    }

    /// The bytes of the only result of an upload.
    pub async fn result(&self, upload: &Value) -> String {
        let results = self
            .caller
            .get(&format!("/uploads/{}/results", id(upload)))
            .await;
        let results = results.expect(StatusCode::OK);
        let urls = results.as_array().expect("an array").iter();
        let urls: Vec<_> = urls.map(|one| one["download_url"].as_str()).collect();
        let [Some(url)] = urls[..] else {
            panic!("not one result: {results:#}");
        };
        Reply::of(self.caller.http.get(url)).await.expect_ok().body
    }

    /// Everything that the workers have written: the jobs of the upload, and all uploads of results.
    pub async fn written(&self, upload: &Value) -> (Vec<Value>, Value) {
        let results = self.caller.get("/uploads?prefix=/derived/").await;
        (self.jobs(upload).await, results.expect(StatusCode::OK))
    }

    /// Waits until no message is left in the queue, neither visible nor invisible.
    pub async fn wait_for_empty_queue(&self) {
        within(TIMEOUT * 2, "the queue is empty", async || {
            self.queue.counts().await == (0, 0)
        })
        .await;
    }
}
