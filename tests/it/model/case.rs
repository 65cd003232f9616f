//! One sequence of operations, run against a broker and against the model.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Op;
use super::rules::{Answer, GRACE, LIFE, Model, Object, STEP};
use crate::support::app::{App, Setup, id};
use crate::support::observe::TIMEOUT;
use crate::support::reply::Reply;

const PATHS: [&str; 2] = ["/a.csv", "/b.csv"];
/// S3 rejects a signature that is more than a quarter of an hour ahead of its own time.
const MOST_STEPS: i64 = 5;

/// A broker, the model of it, and the sessions that clients hold.
struct Case {
    app: App,
    model: Model,
    sessions: Vec<Value>,
    sql: tokio_postgres::Client,
}

/// Runs the operations and panics at the first step after which the broker and the model differ.
pub async fn run(ops: &[Op]) {
    let app = Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", GRACE);
    let app = app.start().await;
    let mut case = Case {
        sql: app.sql().await,
        app,
        model: Model::default(),
        sessions: Vec::new(),
    };
    for (number, op) in ops.iter().enumerate() {
        case.step(*op).await;
        case.assert_matches_model(&format!("after step {number}, {op:?}"))
            .await;
    }
    case.assert_notifications().await;
}

impl Case {
    async fn step(&mut self, op: Op) {
        // Operations on uploads do nothing before there is one.
        let count = self.sessions.len();
        let pick = |upload: usize| (count > 0).then(|| upload % count);
        match op {
            Op::Create {
                place,
                overwrite,
                declares,
            } => self.create(place, overwrite, declares).await,
            Op::Put { upload, right } => {
                if let Some(upload) = pick(upload) {
                    self.put(upload, right).await;
                }
            }
            Op::Acknowledge { upload, honest } => {
                if let Some(upload) = pick(upload) {
                    let claims = if honest {
                        json!({})
                    } else {
                        json!({"size": 1})
                    };
                    let expected = self.model.acknowledge(upload, honest);
                    let path = format!("/uploads/{}/acknowledge", self.id(upload));
                    let reply = self.app.post(&path, claims).await;
                    assert_reply(op, &reply, expected);
                }
            }
            Op::Cancel { upload } => {
                if let Some(upload) = pick(upload) {
                    let expected = self.model.cancel(upload);
                    let path = format!("/uploads/{}/cancel", self.id(upload));
                    assert_reply(op, &self.app.post_empty(&path).await, expected);
                }
            }
            Op::Delete { upload, force } => {
                if let Some(upload) = pick(upload) {
                    let expected = self.model.delete(upload, force);
                    let path = format!("/uploads/{}?force={}", self.id(upload), force.as_str());
                    let reply = Reply::of(self.app.request(Method::DELETE, &path)).await;
                    assert_reply(op, &reply, expected);
                }
            }
            Op::Refresh { upload } => {
                if let Some(upload) = pick(upload) {
                    let expected = self.model.refresh(upload);
                    let path = format!("/uploads/{}?refresh_urls=true", self.id(upload));
                    let reply = self.app.get(&path).await;
                    assert_reply(op, &reply, expected);
                    let session = reply.json();
                    if !session["upload"].is_null() {
                        self.sessions[upload] = session;
                    }
                }
            }
            Op::Advance if self.model.now < STEP * MOST_STEPS => {
                self.model.now += STEP;
                self.app.advance(TimeDelta::seconds(STEP));
            }
            Op::Advance => {}
            Op::Janitor => self.janitor().await,
            Op::Foreign { place } => {
                let bytes = "foreign".to_owned();
                self.app.bucket.put(&PATHS[place][1..], bytes.clone()).await;
                self.model.objects[place] = Some(Object { by: None, bytes });
            }
        }
    }

    async fn create(&mut self, place: usize, overwrite: bool, declares: bool) {
        let number = self.sessions.len();
        let mut body = json!({
            "path": PATHS[place],
            "name": number.to_string(),
            "overwrite": overwrite,
            "expires_in": LIFE,
        });
        if declares {
            let bytes = bytes(number, true);
            let sum = STANDARD.encode(sha2::Sha256::digest(&bytes));
            body["checksum"] = json!({"algorithm": "SHA256", "value": sum});
            body["size"] = json!(bytes.len());
        }
        let expected = self.model.create(place, overwrite, declares);
        let reply = self.app.post("/uploads", body).await;
        assert_reply(format!("create {number}"), &reply, expected);
        if expected.0 == 201 {
            self.sessions.push(reply.json());
        }
    }

    async fn put(&mut self, upload: usize, right: bool) {
        let bytes = bytes(upload, right);
        let expected = self.model.put(upload, &bytes, right);
        let reply = self.app.put(&self.sessions[upload], bytes).await;
        let status = reply.status.as_u16();
        // S3 may check the bytes first, or the precondition.
        let fits = status == expected || (expected == 400 && status == 412);
        assert!(fits, "PUT of {upload}: expected {expected}, {reply:#?}");
    }

    async fn janitor(&mut self) {
        self.model.janitor();
        let round = self.app.janitor().await;
        assert_eq!(round.failed, 0, "{round:?}");
        for (place, path) in PATHS.iter().enumerate() {
            if self.model.is_left_over(place) && self.app.bucket.head(&path[1..]).await.is_none() {
                self.model.remove_left_over(place);
            }
        }
    }

    /// Compares the rows, the histories and the bucket with the model.
    async fn assert_matches_model(&self, when: &str) {
        let sql = "SELECT status, ARRAY(SELECT kind FROM events WHERE upload_id = uploads.id \
                   ORDER BY sequence) FROM uploads ORDER BY name::int";
        let rows = self.sql.query(sql, &[]).await.expect("rows");
        let rows: Vec<(String, Vec<String>)> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let expected: Vec<(String, Vec<String>)> = (self.model.uploads.iter())
            .map(|upload| {
                let events = upload.events.iter().map(|&kind| kind.to_owned());
                (upload.status.to_owned(), events.collect())
            })
            .collect();
        assert_eq!(rows, expected, "{when}: {:#?}", self.model);
        for (place, path) in PATHS.iter().enumerate() {
            let standing = self.object_at(&path[1..]).await;
            assert_eq!(standing, self.model.objects[place], "{when}: {path}");
        }
    }

    async fn object_at(&self, key: &str) -> Option<Object> {
        let head = self.app.bucket.head(key).await?;
        let by = head.metadata().and_then(|all| all.get("upload-id"));
        let by = by.and_then(|by| self.sessions.iter().position(|session| id(session) == by));
        let bytes = self.app.bucket.get(key).await;
        let bytes = String::from_utf8(bytes).expect("text");
        Some(Object { by, bytes })
    }

    /// The subscriber has been notified of each proof once and of nothing else.
    async fn assert_notifications(&self) {
        let mut expected: Vec<String> = Vec::new();
        for (upload, session) in self.model.uploads.iter().zip(&self.sessions) {
            if upload.proven.is_some() {
                expected.push(id(session).to_owned());
            }
        }
        let inbox = &self.app.inbox;
        let messages = inbox.receive_until(expected.len(), TIMEOUT).await;
        let upload_id = |message: &crate::support::inbox::Message| {
            let event = message.json();
            event["data"]["upload_id"]
                .as_str()
                .expect("an id")
                .to_owned()
        };
        let mut heard: Vec<String> = messages.iter().map(upload_id).collect();
        heard.sort_unstable();
        expected.sort_unstable();
        assert_eq!(heard, expected);
        assert_eq!(inbox.waiting().await, 0, "it hears of more");
    }

    fn id(&self, upload: usize) -> &str {
        id(&self.sessions[upload])
    }
}

/// Right and wrong bytes have the same length, so that only a checksum distinguishes them.
fn bytes(upload: usize, right: bool) -> String {
    format!("{} {upload}", if right { "right" } else { "wrong" })
}

#[track_caller]
fn assert_reply(what: impl std::fmt::Debug, reply: &Reply, (status, code): Answer) {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let found = body["code"].as_str().unwrap_or_default();
    let fits = reply.status.as_u16() == status && found == code;
    assert!(fits, "{what:?}: expected {status} {code}, {reply:#?}");
}
