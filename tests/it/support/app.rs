//! A complete broker in the process of the test, with its own port, database, bucket and subscriber, and
//! with a clock that the test advances.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use upload_broker::clock::Clock;
use upload_broker::domain::principal::Scope;
use upload_broker::janitor::{self, Round};
use upload_broker::lifecycle::Shutdown;
use upload_broker::usecases::Broker;
use upload_broker::usecases::identity::keys;

use super::cloud::Bucket;
use super::database::Database;
use super::inbox::Inbox;
use super::reply::Reply;
pub use super::setup::Setup;
use super::{block_on, shared};

/// A running broker.
pub struct App {
    pub url: String,
    /// An API key of the default tenant with every scope.
    pub key: String,
    pub database: Database,
    pub bucket: Bucket,
    pub inbox: Inbox,
    pub clock: Clock,
    pub broker: Arc<Broker>,
    pub http: reqwest::Client,
    pub(super) shutdown: Shutdown,
    /// Receives the exit code of the broker.
    pub(super) ended: Option<oneshot::Receiver<ExitCode>>,
}

impl App {
    /// Starts a broker with the default setup.
    pub async fn start() -> App {
        Setup::new().start().await
    }

    /// Issues an API key, and returns its id and the key. The first key of a tenant creates the tenant.
    pub async fn issue_key(
        &self,
        tenant: &str,
        scopes: &[Scope],
        expires_at: Option<DateTime<Utc>>,
    ) -> (uuid::Uuid, String) {
        let mut connection = upload_broker::store::pool::connect(self.database.url())
            .await
            .expect("Postgres");
        let issued = keys::issue(&mut connection, &self.clock, tenant, scopes, expires_at)
            .await
            .expect("a key");
        (issued.id, issued.key.expose_secret().to_owned())
    }

    /// Returns a request to the broker with the API key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.key)
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(&body)).await
    }

    /// Sends a POST request without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// Creates a session for `path`, with the members of `more` in the body. Fails unless the response is 201.
    pub async fn create(&self, path: &str, more: Value) -> Value {
        let mut body = json!({"path": path});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        self.post("/uploads", body)
            .await
            .expect(StatusCode::CREATED)
    }

    /// Sends `bytes` to S3 with the URL and the headers of the session, and returns the response of S3.
    pub async fn put(&self, session: &Value, bytes: impl Into<Vec<u8>>) -> Reply {
        let upload = &session["upload"];
        let mut put = self.http.put(upload["url"].as_str().expect("a URL"));
        for (name, value) in upload["headers"].as_object().expect("headers") {
            put = put.header(name, value.as_str().expect("a header value"));
        }
        Reply::of(put.body(bytes.into())).await
    }

    /// Acknowledges the upload of a session.
    pub async fn acknowledge(&self, session: &Value) -> Reply {
        self.post_empty(&format!("/uploads/{}/acknowledge", id(session)))
            .await
    }

    /// Uploads a dataset: creates a session, sends the bytes and acknowledges the upload.
    pub async fn upload(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.create(path, more).await;
        self.put(&session, bytes).await.expect_ok();
        self.acknowledge(&session).await.expect(StatusCode::OK)
    }

    /// Reads the current state of an upload.
    pub async fn read(&self, session: &Value) -> Value {
        self.get(&format!("/uploads/{}", id(session)))
            .await
            .expect(StatusCode::OK)
    }

    /// Advances the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Runs one round of the janitor, at the time of the clock.
    pub async fn janitor(&self) -> Round {
        let broker = Arc::clone(&self.broker);
        let round = async move { janitor::run_once(&broker, &CancellationToken::new()).await };
        let round = shared().spawn(round).await.expect("the janitor's task");
        round.unwrap_or_else(|error| panic!("the janitor fails: {error:?}"))
    }

    /// Starts another supervised loop, which panics, and returns the exit code of the broker.
    pub async fn panic_in_loop(mut self) -> ExitCode {
        async fn failing_loop() {
            panic!("the test panics in a loop")
        }
        let inside = shared().enter();
        self.shutdown.spawn("failing", failing_loop());
        drop(inside);
        let ended = self.ended.take().expect("a run");
        tokio::time::timeout(super::process::TIMEOUT, ended)
            .await
            .expect("the broker stops after a loop has panicked")
            .expect("an exit code")
    }

    /// Connects to the database of the app directly.
    pub async fn sql(&self) -> tokio_postgres::Client {
        super::database::connect(self.database.url()).await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.shutdown.stop();
        let broker = Arc::clone(&self.broker);
        block_on(async move { broker.connections.pool.close() });
    }
}

/// Returns the id in the JSON of an upload.
pub fn id(upload: &Value) -> &str {
    upload["id"].as_str().expect("an upload has an id")
}

/// Returns the current time with the precision of Postgres.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
