//! A whole broker in the test's process, on a port of its own, with a database, a bucket and a
//! subscriber of its own, and a clock that the test moves.

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
    /// A key of the default tenant with every scope.
    pub key: String,
    pub database: Database,
    pub bucket: Bucket,
    pub inbox: Inbox,
    pub clock: Clock,
    pub broker: Arc<Broker>,
    pub http: reqwest::Client,
    pub(super) shutdown: Shutdown,
    /// What the broker's run ends with.
    pub(super) ended: Option<oneshot::Receiver<ExitCode>>,
}

impl App {
    /// The usual broker, running.
    pub async fn start() -> App {
        Setup::new().start().await
    }

    /// A new key: its id and the key itself. The tenant is made with its first one.
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

    /// A request to the broker, as whoever holds the key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.key)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(&body)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// A session for `path`, with `more` in the body; it must be granted.
    pub async fn create(&self, path: &str, more: Value) -> Value {
        let mut body = json!({"path": path});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        self.post("/uploads", body)
            .await
            .expect(StatusCode::CREATED)
    }

    /// Sends `bytes` to S3 as the session says, and returns what S3 answers.
    pub async fn put(&self, session: &Value, bytes: impl Into<Vec<u8>>) -> Reply {
        let upload = &session["upload"];
        let mut put = self.http.put(upload["url"].as_str().expect("a URL"));
        for (name, value) in upload["headers"].as_object().expect("headers") {
            put = put.header(name, value.as_str().expect("a header value"));
        }
        Reply::of(put.body(bytes.into())).await
    }

    /// Acknowledges a session's upload.
    pub async fn acknowledge(&self, session: &Value) -> Reply {
        self.post_empty(&format!("/uploads/{}/acknowledge", id(session)))
            .await
    }

    /// A dataset that came the right way: created, sent, acknowledged.
    pub async fn upload(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.create(path, more).await;
        self.put(&session, bytes).await.expect_ok();
        self.acknowledge(&session).await.expect(StatusCode::OK)
    }

    /// The upload as it is now.
    pub async fn read(&self, session: &Value) -> Value {
        self.get(&format!("/uploads/{}", id(session)))
            .await
            .expect(StatusCode::OK)
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// One round of the janitor, at the clock's time.
    pub async fn janitor(&self) -> Round {
        let broker = Arc::clone(&self.broker);
        let round = async move { janitor::run_once(&broker, &CancellationToken::new()).await };
        let round = shared().spawn(round).await.expect("the janitor's task");
        round.unwrap_or_else(|error| panic!("the janitor fails: {error:?}"))
    }

    /// A supervised loop beside the broker's own panics; returns what the run ends with.
    pub async fn panic_in_loop(mut self) -> ExitCode {
        async fn doomed() {
            panic!("said by the test")
        }
        let inside = shared().enter();
        self.shutdown.spawn("doomed", doomed());
        drop(inside);
        let ended = self.ended.take().expect("a run");
        tokio::time::timeout(super::process::TIMEOUT, ended)
            .await
            .expect("it goes on half alive")
            .expect("an exit code")
    }

    /// Statements on the app's own database, past the broker.
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

/// The id of an upload, as JSON has it.
pub fn id(upload: &Value) -> &str {
    upload["id"].as_str().expect("an upload has an id")
}

/// The machine's time, as exact as Postgres keeps it.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
