//! How a client sends requests: it retries as the contract says, and records the responses.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Behavior, ClientRecord};
use crate::support::fleet::{Fleet, REPLICAS};
use crate::support::reply::Reply;
use crate::support::seeded_rng::SeededRng;

/// How long a client retries without a response.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Client<'a> {
    pub fleet: &'a Fleet,
    pub rng: SeededRng,
    pub record: ClientRecord,
}

/// The client has crashed or given up.
pub(super) struct Gone;

/// The result of a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// S3 accepted the object.
    Arrived,
    /// An object already exists at the key.
    Taken,
    /// S3 rejected the bytes, or the URL has expired.
    Refused,
    /// There was no response.
    Unknown,
}

impl Client<'_> {
    /// Adds a line to the record.
    pub fn note(&mut self, line: impl Into<String>) {
        self.record.lines.push(line.into());
    }

    /// Records a response that must never occur.
    pub fn fault(&mut self, what: &str, reply: &Reply) {
        let fault = format!("{what}: {} {}", reply.status, reply.body);
        self.note(format!("FAULT {fault}"));
        self.record.faults.push(fault);
    }

    /// Sends a request to the replicas until there is a response other than 503. A client that is to crash may do
    /// so here, while the request is being sent.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, Gone> {
        let began = Instant::now();
        let crashes = self.record.behavior == Behavior::Crash && self.rng.chance(25);
        let mut which = self.rng.below(REPLICAS as u64) as usize;
        for attempt in 1.. {
            let caller = self.fleet.caller(which);
            let mut request = caller.request(method.clone(), path);
            if path == "/uploads" {
                request = request.header("idempotency-key", self.key());
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            if crashes {
                let life = Duration::from_micros(self.rng.below(15_000));
                let _ = tokio::time::timeout(life, request.send()).await;
                self.note(format!("crashes in {method} {path}"));
                return Err(Gone);
            }
            let failure = match attempted(request).await {
                Ok(reply) if reply.status == 503 => "503".to_owned(),
                Ok(reply) => {
                    let summary = summary(&reply);
                    self.note(format!(
                        "{method} {path} at {which}: {summary} (try {attempt})"
                    ));
                    if reply.status.is_server_error() {
                        self.fault("a 5xx other than 503", &reply);
                    }
                    return Ok(reply);
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() > TIMEOUT {
                let fault = format!("no answer to {method} {path} in {TIMEOUT:?}: {failure}");
                self.record.faults.push(fault);
                return Err(Gone);
            }
            which = (which + 1) % REPLICAS;
            // The back-off of a client.
            tokio::time::sleep(Duration::from_millis(20 + self.rng.below(60))).await;
        }
        unreachable!("the loop ends by a return")
    }

    /// Sends the bytes once, with the URL and the headers of the session.
    pub async fn put(&mut self, session: &Value, bytes: &str) -> Result<Sent, Gone> {
        let upload = &session["upload"];
        let url = upload["url"].as_str().expect("a URL");
        let mut put = self.fleet.caller(0).http.put(url);
        for (name, value) in upload["headers"].as_object().expect("headers") {
            put = put.header(name, value.as_str().expect("a header value"));
        }
        let put = put.body(bytes.to_owned());
        if self.record.behavior == Behavior::Crash && self.rng.chance(25) {
            let life = Duration::from_micros(self.rng.below(10_000));
            let _ = tokio::time::timeout(life, put.send()).await;
            self.note("crashes in its PUT");
            return Err(Gone);
        }
        let sent = match attempted(put).await {
            Ok(reply) => match reply.status.as_u16() {
                200 => Sent::Arrived,
                412 => Sent::Taken,
                400 | 403 => Sent::Refused,
                _ => Sent::Unknown,
            },
            Err(_) => Sent::Unknown,
        };
        self.note(format!("PUT: {sent:?}"));
        Ok(sent)
    }

    fn key(&self) -> String {
        format!("key-{}", self.record.name)
    }
}

async fn attempted(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.text().await?;
    Ok(Reply {
        status,
        headers,
        body,
    })
}

/// Returns the status code, and the problem code or the upload status.
fn summary(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let said = ["code", "status"].map(|name| &body[name]);
    let said = said.into_iter().find_map(Value::as_str);
    format!("{} {}", reply.status.as_u16(), said.unwrap_or_default())
}
