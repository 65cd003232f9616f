//! A broker whose rules extract the text of PDF documents, and workers for it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use upload_broker::domain::document::search_folders;
use uuid::Uuid;

use crate::support::app::{App, id};
use crate::support::observe::within;
use crate::support::process::{Process, Run};
use crate::support::python;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

/// How long a document may take on a busy machine. Most take less than a second.
pub const LONG: Duration = Duration::from_secs(120);

const RULES: &str = r#"
[[rule]]
processor = "pdf-text"
paths = ["/hasty/**"]
options = { max_cpu_seconds = 2 }

[[rule]]
processor = "pdf-text"
content_types = ["application/pdf"]

[[rule]]
processor = "csv-aggregate"
paths = ["/plays/**"]
options = { group_by = ["Song"], aggregates = [{ function = "count" }] }
"#;

/// The broker, and a place for workers.
pub struct Scene {
    pub place: Place,
    pub folder: TempDir,
    _broker: Process,
    pub caller: Caller,
}

impl Scene {
    pub async fn new() -> Scene {
        let place = Place::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("rules.toml"), RULES).expect("a file of rules");
        let run = place
            .serve()
            .set(
                "BROKER_PROCESSORS_FILE",
                folder.path().join("rules.toml").display(),
            )
            .set("BROKER_JANITOR_PERIOD_SECONDS", 1);
        let (broker, caller) = place.start(run).await;
        Scene {
            place,
            folder,
            _broker: broker,
            caller,
        }
    }

    /// A worker for all processors.
    pub fn worker(&self) -> Run {
        self.place
            .run(&["worker"])
            .set("BROKER_WORKER_BIND", "127.0.0.1:0")
            .set("BROKER_WORKER_PROCESSORS", "pdf-text,csv-aggregate")
            .set("BROKER_WORKER_LEASE_SECONDS", 5)
            .set("BROKER_WORKER_SCRATCH", self.folder.path().display())
    }

    /// Uploads a document of the corpus to `/in/NAME.pdf`.
    pub async fn upload(&self, name: &str) -> Value {
        self.upload_to(&format!("/in/{name}.pdf"), name).await
    }

    /// Uploads a document of the corpus.
    pub async fn upload_to(&self, path: &str, name: &str) -> Value {
        self.caller.upload(path, pdf(name).await).await
    }

    /// Uploads a document in place of the one at the path.
    pub async fn replace(&self, path: &str, name: &str) -> Value {
        let request = self.caller.request(Method::POST, "/uploads");
        let body = json!({"path": path, "overwrite": true});
        let session = Reply::of(request.json(&body)).await;
        let session = session.expect(StatusCode::CREATED);
        let put = self.caller.put(&session, pdf(name).await).await;
        put.expect_ok();
        self.caller
            .acknowledge(&session)
            .await
            .expect(StatusCode::OK)
    }

    pub async fn read(&self, upload: &Value) -> Value {
        self.caller.read(upload).await
    }

    pub async fn wait_for_status(&self, upload: &Value, wanted: &str) {
        self.wait_for_status_of(&self.caller, upload, wanted).await;
    }

    /// The same for an upload of another tenant.
    pub async fn wait_for_status_of(&self, caller: &Caller, upload: &Value, wanted: &str) {
        let what = format!("{} is {wanted}", upload["path"]);
        within(LONG, &what, async || {
            caller.read(upload).await["status"] == wanted
        })
        .await;
    }

    /// Creates a tenant, and returns a caller of it.
    pub async fn other_tenant(&self, name: &str) -> Caller {
        let prefix = format!("{name}/");
        let create = ["tenants", "create", name, "--prefix", &prefix];
        self.place.run(&create).finish().await.ok();
        let scopes = "uploads:write,uploads:read,datasets:read";
        let issue = [
            "keys", "create", "--json", "--tenant", name, "--scopes", scopes,
        ];
        let issued = self.place.run(&issue).finish().await.ok().json();
        let key = issued["key"].as_str().expect("a key").to_owned();
        Caller::new(self.caller.url.clone(), key)
    }

    /// The only job of an upload.
    pub async fn job(&self, upload: &Value) -> Value {
        let mut jobs = self.caller.jobs_of(upload).await;
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        jobs.remove(0)
    }

    pub async fn text(&self, upload: &Value, query: &str) -> Reply {
        let path = format!("/uploads/{}/text{query}", id(upload));
        self.caller.get(&path).await
    }

    /// Searches, and returns the paths and pages that are found, best first.
    pub async fn found(&self, query: &str) -> Vec<(String, u64)> {
        found_by(&self.caller, query).await
    }

    /// The number of rows with pages in Postgres, of any document.
    pub async fn stored_pages(&self) -> i64 {
        let client = crate::support::database::connect(self.place.database.url()).await;
        let row = client
            .query_one("SELECT count(*) FROM document_pages", &[])
            .await;
        row.expect("a count").get(0)
    }
}

/// Writes the pages of an upload to Postgres as a worker does, which needs no PDF.
pub async fn store_text(app: &App, upload: &Value, tenant: &str, pages: &[&str]) {
    let client = app.sql().await;
    let (document, count) = (Uuid::new_v4(), pages.len());
    let sql = format!(
        "INSERT INTO documents (id, upload_id, pages, created_at)
         VALUES ('{document}', '{}', {count}, now())",
        id(upload)
    );
    client.batch_execute(&sql).await.expect("a document");
    let folders = search_folders(tenant, upload["path"].as_str().expect("a path"));
    let sql = format!(
        "INSERT INTO document_pages (document_id, page, folders, text)
         SELECT '{document}', page, $1, text
         FROM unnest($2::text[]) WITH ORDINALITY AS pages (text, page)"
    );
    client
        .execute(&sql, &[&folders, &pages])
        .await
        .expect("the pages");
}

/// Searches, and returns the paths and pages that are found, best first. `query` is the query string.
pub async fn found_by(caller: &Caller, query: &str) -> Vec<(String, u64)> {
    let hits = caller.get(&format!("/search?{query}")).await;
    let hits = hits.expect(StatusCode::OK);
    let hits = hits.as_array().expect("an array").iter();
    hits.map(|hit| {
        let path = hit["path"].as_str().expect("a path").to_owned();
        (path, hit["page"].as_u64().expect("a page"))
    })
    .collect()
}

/// A document of `tests/corpus/pdfs.py`.
pub async fn pdf(name: &str) -> Vec<u8> {
    pdfs(&[name]).await.remove(0)
}

/// Documents of `tests/corpus/pdfs.py`, in the order of their names.
pub async fn pdfs(names: &[&str]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = tokio::task::spawn_blocking(move || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/pdfs.py");
        let target = folder.path().to_str().expect("UTF-8");
        let args = [script, target].into_iter();
        let args: Vec<&str> = args.chain(names.iter().map(String::as_str)).collect();
        python::run(&args, &[]);
        let files = names
            .iter()
            .map(|name| folder.path().join(format!("{name}.pdf")));
        files
            .map(|file| std::fs::read(file).expect("the document"))
            .collect()
    });
    made.await.expect("Python")
}
