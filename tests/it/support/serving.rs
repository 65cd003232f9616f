//! A `serve` process with a database and a bucket of its own, and a client for it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::app::id;
use super::cloud::{self, Bucket};
use super::database::Database;
use super::process::{Process, Run};
use super::reply::Reply;

/// What a `serve` needs, and the settings that name it.
pub struct Place {
    pub database: Database,
    pub bucket: Bucket,
}

/// Someone with a key.
#[derive(Clone)]
pub struct Caller {
    pub url: String,
    pub key: String,
    pub http: reqwest::Client,
}

impl Place {
    /// A migrated database and an empty bucket.
    pub async fn new() -> Place {
        Place {
            database: Database::new(),
            bucket: Bucket::new().await,
        }
    }

    /// A command with the settings of this place.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(args)
            .with(&cloud::settings())
            .set("DATABASE_URL", self.database.url())
            .set("BROKER_S3_BUCKET", &self.bucket.name)
            .set("BROKER_BIND", "127.0.0.1:0")
            // Nothing is tried out but where a test asks for it.
            .set("BROKER_S3_CONDITIONAL_WRITES", "on")
            .set("BROKER_S3_CHECKSUMS", "on")
            .set("BROKER_S3_HEAD_CHECKSUMS", "on")
            // What a test holds back or counts at S3 is its own.
            .set("BROKER_SWEEP_PERIOD_SECONDS", 0)
            .set("BROKER_STALE_MULTIPART_PERIOD_SECONDS", 0)
    }

    /// `serve` with the settings of this place.
    pub fn serve(&self) -> Run {
        self.run(&["serve"])
    }

    /// A new key of the default tenant with every scope, made on the command line.
    pub async fn key(&self) -> String {
        let scopes = "uploads:write,uploads:read,datasets:read,datasets:delete";
        let made = self.run(&["keys", "create", "--json", "--scopes", scopes]);
        let made = made.finish().await.ok().json();
        made["key"].as_str().expect("a key").to_owned()
    }

    /// A running broker and someone who may use it.
    pub async fn start(&self, run: Run) -> (Process, Caller) {
        let key = self.key().await;
        let mut process = run.spawn();
        let caller = Caller::new(process.ready().await, key);
        (process, caller)
    }
}

impl Caller {
    /// A caller of the broker at `url`.
    pub fn new(url: String, key: String) -> Caller {
        let http = reqwest::Client::builder();
        let http = http.redirect(reqwest::redirect::Policy::none()).build();
        Caller {
            url,
            key,
            http: http.expect("an HTTP client"),
        }
    }

    /// A request with the key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.key)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// A session for `path`.
    pub async fn create(&self, path: &str) -> Value {
        let request = self.request(Method::POST, "/uploads");
        Reply::of(request.json(&json!({"path": path})))
            .await
            .expect(StatusCode::CREATED)
    }

    /// Sends bytes as the session says.
    pub async fn put(&self, session: &Value, bytes: &str) -> Reply {
        put(&self.http, session, bytes).await
    }

    /// Acknowledges.
    pub async fn acknowledge(&self, session: &Value) -> Reply {
        self.post_empty(&format!("/uploads/{}/acknowledge", id(session)))
            .await
    }

    /// All of it.
    pub async fn upload(&self, path: &str, bytes: &str) -> Value {
        let session = self.create(path).await;
        self.put(&session, bytes).await.expect_ok();
        self.acknowledge(&session).await.expect(StatusCode::OK)
    }
}

/// Sends bytes as the session says, through a client of the caller's choice.
pub async fn put(http: &reqwest::Client, session: &Value, bytes: &str) -> Reply {
    let upload = &session["upload"];
    let mut put = http.put(upload["url"].as_str().expect("a URL"));
    for (name, value) in upload["headers"].as_object().expect("headers") {
        put = put.header(name, value.as_str().expect("a header value"));
    }
    Reply::of(put.body(bytes.to_owned())).await
}
