//! How a client talks: it tries again where the contract says so, and remembers what it heard.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Behavior, ClientRecord};
use crate::support::fleet::{Fleet, REPLICAS};
use crate::support::reply::Reply;
use crate::support::seeded_rng::SeededRng;

/// How long a client goes on without an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Client<'a> {
    pub fleet: &'a Fleet,
    pub rng: SeededRng,
    pub record: ClientRecord,
}

/// The client is dead, or has given up.
pub(super) struct Gone;

/// What came of a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// S3 took it.
    Arrived,
    /// Something stands there already.
    Taken,
    /// S3 does not want these bytes, or not with this URL any more.
    Refused,
    /// There was no answer.
    Unknown,
}

impl Client<'_> {
    /// Writes a line of the story.
    pub fn note(&mut self, line: impl Into<String>) {
        self.record.lines.push(line.into());
    }

    /// Writes down what should never be.
    pub fn fault(&mut self, what: &str, reply: &Reply) {
        let fault = format!("{what}: {} {}", reply.status, reply.body);
        self.note(format!("FAULT {fault}"));
        self.record.faults.push(fault);
    }

    /// Asks a replica until there is an answer other than "try again". Those who are to die may do
    /// so here, with the request on its way.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, Gone> {
        let began = Instant::now();
        let dies = self.record.behavior == Behavior::Crash && self.rng.chance(25);
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
            if dies {
                let life = Duration::from_micros(self.rng.below(15_000));
                let _ = tokio::time::timeout(life, request.send()).await;
                self.note(format!("dies in {method} {path}"));
                return Err(Gone);
            }
            let heard = match attempted(request).await {
                Ok(reply) if reply.status == 503 => "503".to_owned(),
                Ok(reply) => {
                    let told = short(&reply);
                    self.note(format!(
                        "{method} {path} at {which}: {told} (try {attempt})"
                    ));
                    if reply.status.is_server_error() {
                        self.fault("a 5xx that is no 503", &reply);
                    }
                    return Ok(reply);
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() > TIMEOUT {
                let fault = format!("no answer to {method} {path} in {TIMEOUT:?}: {heard}");
                self.record.faults.push(fault);
                return Err(Gone);
            }
            which = (which + 1) % REPLICAS;
            // As a client backs off.
            tokio::time::sleep(Duration::from_millis(20 + self.rng.below(60))).await;
        }
        unreachable!("it tries until it gives up")
    }

    /// PUTs once, as the session says.
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
            self.note("dies in its PUT");
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

/// The status and what says most.
fn short(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let said = ["code", "status"].map(|name| &body[name]);
    let said = said.into_iter().find_map(Value::as_str);
    format!("{} {}", reply.status.as_u16(), said.unwrap_or_default())
}
