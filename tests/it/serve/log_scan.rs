//! A broker does all kinds of work while every library logs at trace level: no credential is in the
//! log or in the audit.

use std::collections::BTreeSet;

use jsonwebtoken::Algorithm;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::logs::{SECRET, store};
use crate::auth::issuer::{AUDIENCE, ISSUER, SECRET as JWT_SECRET, Signer};
use crate::support::app::id;
use crate::support::cloud;
use crate::support::database;
use crate::support::events::Events;
use crate::support::inbox::Inbox;
use crate::support::leaks::{find, log_filter};
use crate::support::process::Run;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

pub const TOKEN: &str = "a-session-token-of-the-log-scan";

/// A client that remembers everything that must stay secret.
struct Worker {
    caller: Caller,
    secrets: BTreeSet<String>,
}

impl Worker {
    async fn ask(&mut self, method: Method, path: &str, body: Value) -> Reply {
        let mut request = self.caller.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let reply = Reply::of(request).await;
        if reply.body.starts_with(['{', '[']) {
            let lines = reply.body.lines().map(serde_json::from_str::<Value>);
            lines.for_each(|line| self.remember(&line.expect("JSON")));
        }
        if let Some(location) = reply.header("location") {
            self.remember(&json!(location));
        }
        reply
    }

    /// Remembers the URLs in an answer, and their signatures.
    fn remember(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.contains("X-Amz-Signature=") => {
                let url = url::Url::parse(text).expect("a URL");
                for (name, value) in url.query_pairs() {
                    if ["X-Amz-Signature", "X-Amz-Credential"].contains(&&*name) {
                        self.secrets.insert(value.into_owned());
                    }
                }
                self.secrets.insert(text.clone());
            }
            Value::Array(values) => values.iter().for_each(|value| self.remember(value)),
            Value::Object(members) => members.values().for_each(|value| self.remember(value)),
            _ => {}
        }
    }

    /// Uploads in every way, reads everything, and makes many mistakes.
    async fn work(&mut self) {
        let checked = json!({"path": "/in/a.csv", "size": 5,
            "checksum": {"algorithm": "CRC32", "value": "AAAAAA=="}});
        let wrong = self.ask(Method::POST, "/uploads", checked).await;
        let wrong = wrong.expect(StatusCode::CREATED);
        assert!(!self.caller.put(&wrong, "id\n1\n").await.status.is_success());
        let session = self
            .ask(Method::POST, "/uploads", json!({"path": "/in/a.csv"}))
            .await;
        let session = session.expect(StatusCode::CREATED);
        self.caller.put(&session, "id\n1\n").await.expect_ok();
        let of = |upload: &Value, end: &str| format!("/uploads/{}{end}", id(upload));
        let batch = json!({"uploads": [{"path": "/in/b"}, {"path": "../c"}, {"path": "/in/d"}]});
        let large = json!({"path": "/in/large", "size": 12_000_000, "part_size": 5 << 20});
        let large = self.ask(Method::POST, "/uploads", large).await;
        let large = large.expect(StatusCode::CREATED);
        let part = large["multipart"]["parts"][0]["url"]
            .as_str()
            .expect("a URL");
        let sent = self.caller.http.put(part).body(vec![0; 5 << 20]);
        Reply::of(sent).await.expect_ok();
        let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
        for (method, path, body, status) in [
            (&post, "/uploads/batch".to_owned(), batch, 200),
            (&post, of(&large, "/parts"), json!({"from": 2}), 200),
            (&get, of(&large, "/parts"), Value::Null, 200),
            (&post, of(&large, "/acknowledge"), Value::Null, 409),
            (&post, of(&large, "/cancel"), Value::Null, 200),
            (&get, of(&wrong, "?refresh_urls=true"), Value::Null, 200),
            (&post, of(&wrong, "/extend"), json!({"expires_in": 60}), 200),
            (&post, of(&session, "/acknowledge"), Value::Null, 200),
            (&post, of(&wrong, "/acknowledge"), Value::Null, 409),
            (&get, "/datasets/in/a.csv".to_owned(), Value::Null, 200),
            (
                &get,
                "/datasets/in/a.csv/action/download".to_owned(),
                Value::Null,
                302,
            ),
            (
                &get,
                "/datasets/in/none/action/download".to_owned(),
                Value::Null,
                404,
            ),
            (
                &get,
                "/datasets?include=upload".to_owned(),
                Value::Null,
                200,
            ),
            (&post, "/uploads".to_owned(), json!({"path": 1}), 422),
            (&get, "/nowhere".to_owned(), Value::Null, 404),
            (&get, "/readyz".to_owned(), Value::Null, 200),
            (&delete, of(&session, ""), Value::Null, 204),
        ] {
            let reply = self.ask(method.clone(), &path, body).await;
            assert_eq!(reply.status.as_u16(), status, "{method} {path}: {reply:#?}");
        }
        self.use_tokens_and_jwts().await;
        let stranger = self.caller.http.get(format!("{}/uploads", self.caller.url));
        let almost = format!("{}x", &self.caller.key[..self.caller.key.len() - 1]);
        self.secrets.insert(almost.clone());
        Reply::of(stranger.bearer_auth(almost))
            .await
            .expect_problem(401, "unauthenticated");
    }
}

impl Worker {
    /// Sends requests with upload tokens in the header and in the path and with JWTs, both valid
    /// ones and changed ones.
    async fn use_tokens_and_jwts(&mut self) {
        let asked = json!({"scopes": ["uploads:read", "uploads:write"], "expires_in": 60});
        let made = self.ask(Method::POST, "/tokens", asked).await;
        let made = made.expect(StatusCode::CREATED);
        let token = made["token"].as_str().expect("a token").to_owned();
        let claims = json!({
            "exp": chrono::Utc::now().timestamp() + 600, "iss": ISSUER, "aud": AUDIENCE,
            "tenant": "default", "scope": "uploads:read uploads:write",
        });
        let jwt = Signer::new("any", Algorithm::HS256).sign(&claims);
        let (http, url) = (self.caller.http.clone(), self.caller.url.clone());
        for (credential, status) in [
            (token.clone(), 200),
            (changed_signature(&token), 401),
            (jwt.clone(), 200),
            (changed_signature(&jwt), 401),
        ] {
            let reply = http.get(format!("{url}/uploads")).bearer_auth(&credential);
            let reply = Reply::of(reply).await;
            assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
            let reply = Reply::of(http.get(format!("{url}/t/{credential}/uploads"))).await;
            let by_path = if credential == token { 200 } else { 401 };
            assert_eq!(reply.status.as_u16(), by_path, "{reply:#?}");
            let (_, signature) = credential.rsplit_once('.').expect("a dot");
            self.secrets.insert(signature.to_owned());
            self.secrets.insert(credential);
        }
        let body = json!({"path": "/in/t.csv"});
        let post = http.post(format!("{url}/t/{token}/uploads")).json(&body);
        let session = Reply::of(post).await.expect(StatusCode::CREATED);
        self.remember(&session);
    }
}

/// Replaces the signature by another one of the same length.
fn changed_signature(credential: &str) -> String {
    let (start, signature) = credential.rsplit_once('.').expect("a dot");
    format!("{start}.{}", "Q".repeat(signature.len()))
}

/// Runs a broker with these settings, works with it, and searches the log and the audit for
/// secrets. The work is done when the log contains `said`.
async fn scan(place: &Place, run: Run, said: &str, more: &[&str]) {
    let run = (run.set("RUST_LOG", log_filter()))
        .set("BROKER_JWT_HS256_SECRET", JWT_SECRET)
        .set("BROKER_JWT_ISSUER", ISSUER)
        .set("BROKER_JWT_AUDIENCE", AUDIENCE);
    let (mut process, caller) = place.start(run).await;
    let mut worker = Worker {
        secrets: BTreeSet::from([caller.key.clone()]),
        caller,
    };
    worker.work().await;
    process.wait_for_log(said).await;
    let ended = process.stop("TERM").await.ok();
    let url = url::Url::parse(place.database.url()).expect("a URL");
    worker.secrets.insert(JWT_SECRET.to_owned());
    worker.secrets.extend(url.password().map(str::to_owned));
    worker
        .secrets
        .extend(more.iter().map(|&secret| secret.to_owned()));
    assert!(worker.secrets.len() > 20, "{:#?}", worker.secrets);
    // The libraries logged at their lowest level.
    for library in [
        "aws_sigv4",
        "aws_smithy_runtime",
        "tokio_postgres",
        "actix_http",
    ] {
        let speaks = |line: &str| line.contains(library) && line.contains("TRACE");
        assert!(ended.err.lines().any(speaks), "{library} says nothing");
    }
    let client = database::connect(place.database.url()).await;
    let all = "SELECT string_agg(audit::text, E'\\n') FROM audit";
    let audit: String = client.query_one(all, &[]).await.expect("rows").get(0);
    assert_eq!(audit.lines().find_map(find), None, "{audit}");
    for secret in &worker.secrets {
        let leak = (ended.err.lines().chain(audit.lines())).find(|line| line.contains(secret));
        assert_eq!(leak, None, "a line holds {secret:?}");
    }
}

/// The store has its own secret, which occurs nowhere else, and the credentials are temporary.
#[tokio::test]
async fn no_store_credential_is_in_log_or_audit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (place, inbox) = (Place::new().await, Inbox::new().await);
    let run = (place.serve())
        .set("BROKER_S3_BUCKET", "datasets")
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("AWS_ENDPOINT_URL_S3", store(folder.path()).await)
        .set("AWS_ACCESS_KEY_ID", "AKIALOGSTEST")
        .set("AWS_SECRET_ACCESS_KEY", SECRET)
        .set("AWS_SESSION_TOKEN", TOKEN);
    let secrets = [SECRET, TOKEN, "AKIALOGSTEST"];
    scan(&place, run, "SNS accepts no events", &secrets).await;
}

/// With an SNS topic that accepts events and a queue that receives those of S3.
#[tokio::test]
async fn no_signed_url_is_in_log_or_audit_with_sns_and_s3_events() {
    let (place, inbox) = (Place::new().await, Inbox::new().await);
    let events = Events::new().await;
    events.follow(&place.bucket).await;
    let run = (place.serve())
        .set("BROKER_LOG_FORMAT", "json")
        .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
        .set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let credential = format!("Credential={}/", cloud::ACCESS_KEY_ID);
    scan(&place, run, "published event", &[&credential]).await;
}
