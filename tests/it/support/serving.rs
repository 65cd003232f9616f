//! A `serve` process with its own database and bucket, and a client for it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::app::id;
use super::cloud::{self, Bucket};
use super::database::Database;
use super::process::{Process, Run};
use super::reply::Reply;

/// The database and bucket of a `serve` process, and the settings that refer to them.
pub struct Place {
    pub database: Database,
    pub bucket: Bucket,
}

/// A client with an API key.
#[derive(Clone)]
pub struct Caller {
    pub url: String,
    pub key: String,
    pub http: reqwest::Client,
}

impl Place {
    /// Creates a migrated database and an empty bucket.
    pub async fn new() -> Place {
        Place {
            database: Database::new(),
            bucket: Bucket::new().await,
        }
    }

    /// Returns a command with the settings of this database and bucket.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(args)
            .with(&cloud::settings())
            .set("DATABASE_URL", self.database.url())
            .set("BROKER_S3_BUCKET", &self.bucket.name)
            .set("BROKER_BIND", "127.0.0.1:0")
            // The store is only probed if a test enables it.
            .set("BROKER_S3_CONDITIONAL_WRITES", "on")
            .set("BROKER_S3_CHECKSUMS", "on")
            .set("BROKER_S3_HEAD_CHECKSUMS", "on")
            // Background loops must not send requests that a test blocks or counts.
            .set("BROKER_SWEEP_PERIOD_SECONDS", 0)
            .set("BROKER_STALE_MULTIPART_PERIOD_SECONDS", 0)
    }

    /// Returns the command `serve` with the settings of this database and bucket.
    pub fn serve(&self) -> Run {
        self.run(&["serve"])
    }

    /// Issues an API key of the default tenant with every scope, on the command line.
    pub async fn key(&self) -> String {
        let scopes = "uploads:write,uploads:read,datasets:read,datasets:delete,processing:write";
        let made = self.run(&["keys", "create", "--json", "--scopes", scopes]);
        let made = made.finish().await.ok().json();
        made["key"].as_str().expect("a key").to_owned()
    }

    /// Starts a broker, and returns it with a client.
    pub async fn start(&self, run: Run) -> (Process, Caller) {
        let key = self.key().await;
        let mut process = run.spawn();
        let caller = Caller::new(process.ready().await, key);
        (process, caller)
    }
}

impl Caller {
    /// Creates a client of the broker at `url`.
    pub fn new(url: String, key: String) -> Caller {
        let http = reqwest::Client::builder();
        let http = http.redirect(reqwest::redirect::Policy::none()).build();
        Caller {
            url,
            key,
            http: http.expect("an HTTP client"),
        }
    }

    /// Returns a request with the API key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.key)
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// Sends a POST request without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// Reads an upload.
    pub async fn read(&self, upload: &Value) -> Value {
        let now = self.get(&format!("/uploads/{}", id(upload))).await;
        now.expect(StatusCode::OK)
    }

    /// Returns the jobs of an upload.
    pub async fn jobs_of(&self, upload: &Value) -> Vec<Value> {
        let jobs = self.get(&format!("/uploads/{}/jobs", id(upload))).await;
        let jobs = jobs.expect(StatusCode::OK);
        jobs.as_array().expect("an array").clone()
    }

    /// Creates a session for `path`.
    pub async fn create(&self, path: &str) -> Value {
        let request = self.request(Method::POST, "/uploads");
        Reply::of(request.json(&json!({"path": path})))
            .await
            .expect(StatusCode::CREATED)
    }

    /// Sends bytes to S3 with the URL and the headers of the session.
    pub async fn put(&self, session: &Value, bytes: impl AsRef<[u8]>) -> Reply {
        put(&self.http, session, bytes).await
    }

    /// Acknowledges the upload of a session.
    pub async fn acknowledge(&self, session: &Value) -> Reply {
        self.post_empty(&format!("/uploads/{}/acknowledge", id(session)))
            .await
    }

    /// Creates a session, sends the bytes and acknowledges the upload.
    pub async fn upload(&self, path: &str, bytes: impl AsRef<[u8]>) -> Value {
        let session = self.create(path).await;
        self.put(&session, bytes).await.expect_ok();
        self.acknowledge(&session).await.expect(StatusCode::OK)
    }
}

/// Sends bytes to S3 with the URL and the headers of the session, through the given HTTP client.
pub async fn put(http: &reqwest::Client, session: &Value, bytes: impl AsRef<[u8]>) -> Reply {
    let upload = &session["upload"];
    let mut put = http.put(upload["url"].as_str().expect("a URL"));
    for (name, value) in upload["headers"].as_object().expect("headers") {
        put = put.header(name, value.as_str().expect("a header value"));
    }
    Reply::of(put.body(bytes.as_ref().to_vec())).await
}
