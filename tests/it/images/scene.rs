//! A broker whose rules make thumbnails, a worker for it, and the images of the corpus.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::app::id;
use crate::support::observe::{TIMEOUT, within};
use crate::support::process::Process;
use crate::support::python;
use crate::support::serving::{Caller, Place};

const RULES: &str = r#"
[[rule]]
processor = "image-resize"
paths = ["/photos/**"]

[rule.options]
sizes = [
    { name = "small", max_width = 32, max_height = 32 },
    { name = "large", max_width = 160, max_height = 160 },
]
"#;

/// The broker, and a worker of it.
pub struct Scene {
    // The database and the store go with it.
    _place: Place,
    folder: TempDir,
    _broker: Process,
    worker: Process,
    pub caller: Caller,
}

impl Scene {
    pub async fn new() -> Scene {
        let place = Place::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = folder.path().join("scratch");
        std::fs::create_dir(&scratch).expect("a folder");
        let rules = folder.path().join("rules.toml");
        std::fs::write(&rules, RULES).expect("a file of rules");
        let run = place.serve().set("BROKER_PROCESSORS_FILE", rules.display());
        let (broker, caller) = place.start(run).await;
        let worker = place
            .run(&["worker"])
            .set("BROKER_WORKER_BIND", "127.0.0.1:0")
            .set("BROKER_WORKER_PROCESSORS", "image-resize")
            .set("BROKER_WORKER_SCRATCH", scratch.display())
            .spawn();
        make_corpus(folder.path().join("corpus")).await;
        Scene {
            _place: place,
            folder,
            _broker: broker,
            worker,
            caller,
        }
    }

    /// Uploads an image of the corpus.
    pub async fn upload(&self, name: &str) -> Value {
        let bytes = std::fs::read(self.folder.path().join("corpus").join(name));
        let bytes = bytes.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.caller.upload(&format!("/photos/{name}"), bytes).await
    }

    /// Waits until the jobs of an upload have ended, and returns the upload.
    pub async fn processed(&self, upload: &Value) -> Value {
        let path = format!("/uploads/{}", id(upload));
        let what = format!("{} is processed", upload["path"]);
        let read = async || self.caller.get(&path).await.expect(StatusCode::OK);
        within(TIMEOUT * 4, &what, async || {
            let status = read().await["status"].clone();
            status == "Processed" || status == "Error"
        })
        .await;
        read().await
    }

    /// The results of an upload, by the names of their sizes.
    pub async fn results(&self, upload: &Value) -> Vec<Value> {
        let path = format!("/uploads/{}/results", id(upload));
        let results = self.caller.get(&path).await.expect(StatusCode::OK);
        results.as_array().expect("an array").clone()
    }

    /// Stops the worker, which must still live. No temporary file may remain.
    pub async fn stop(self) {
        self.worker.stop("TERM").await.ok();
        let left = std::fs::read_dir(self.folder.path().join("scratch")).expect("the folder");
        let left: Vec<_> = left.map(|entry| entry.expect("an entry").path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Writes the images of the corpus into a folder.
pub async fn make_corpus(folder: PathBuf) {
    run_script("images.py", vec![path_text(&folder)]).await;
}

/// Runs a script of the corpus, and returns its output.
pub async fn run_script(name: &str, arguments: Vec<String>) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name);
    let script = path_text(&script);
    let run = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = [&script]
            .into_iter()
            .chain(&arguments)
            .map(|text| &**text)
            .collect();
        python::run(&arguments, &[])
    });
    run.await.expect("Python")
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
