//! The steps of a client, and the responses that each step may receive.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Behavior;
use super::client::{Client, Gone, Sent};
use crate::support::app::id;
use crate::support::reply::Reply;

/// How often the bytes are sent while it is unknown whether they arrived.
const MAX_SENDS: usize = 20;

impl Client<'_> {
    /// Runs all steps.
    pub async fn run(&mut self) -> Result<(), Gone> {
        let bytes = format!("{},{}\n", self.record.name, self.rng.below(1_000_000));
        let Some(session) = self.create(&bytes).await? else {
            return Ok(());
        };
        match self.record.behavior {
            Behavior::NeverSend => return Ok(()),
            Behavior::CancelBeforeSending => return self.cancel(&session).await,
            Behavior::WrongBytes => {
                let other = bytes.replace(',', ";");
                if self.put(&session, &other).await? == Sent::Arrived {
                    self.record
                        .faults
                        .push("S3 accepted wrong bytes".to_owned());
                }
                if self.rng.chance(50) {
                    return Ok(());
                }
            }
            // The URL lives at most four seconds.
            Behavior::SendAfterExpiry => tokio::time::sleep(Duration::from_millis(4_500)).await,
            _ => {}
        }
        for _ in 0..MAX_SENDS {
            let sent = self.put(&session, &bytes).await?;
            match self.record.behavior {
                Behavior::NeverAcknowledge if sent != Sent::Unknown => return Ok(()),
                Behavior::CancelAfterSending if sent != Sent::Unknown => {
                    return self.cancel(&session).await;
                }
                Behavior::NeverAcknowledge | Behavior::CancelAfterSending => continue,
                _ => {}
            }
            let is_done = self.acknowledge(&session, sent).await?;
            if is_done || sent != Sent::Unknown {
                break;
            }
        }
        let wants_to = match self.record.behavior {
            Behavior::Delete => true,
            Behavior::CompeteForPath | Behavior::Overwrite => self.rng.chance(30),
            _ => false,
        };
        if wants_to && self.record.acknowledged {
            self.delete(&session).await?;
        }
        Ok(())
    }

    /// Creates a session. Returns `None` if there is no session with a URL.
    async fn create(&mut self, bytes: &str) -> Result<Option<Value>, Gone> {
        let behavior = self.record.behavior;
        // Clients that compete get a longer lifetime.
        let least = if behavior.is_shared() { 6 } else { 2 };
        let mut body = json!({
            "path": self.record.path,
            "name": self.record.name,
            "overwrite": behavior == Behavior::Overwrite,
            "expires_in": least + self.rng.below(3),
        });
        let declares = behavior == Behavior::WrongBytes || self.rng.chance(50);
        if declares && behavior != Behavior::WrongExpectedSize {
            let sum = STANDARD.encode(sha2::Sha256::digest(bytes));
            body["checksum"] = json!({"algorithm": "SHA256", "value": sum});
            body["size"] = json!(bytes.len());
        }
        let reply = self.request(Method::POST, "/uploads", Some(body)).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (200 | 201, _) => {}
            (409, "dataset-exists") if behavior.is_shared() => return Ok(None),
            _ => {
                self.fault("create", &reply);
                return Ok(None);
            }
        }
        let session = reply.json();
        self.record.ids.insert(id(&session).to_owned());
        if session["name"] != self.record.name.as_str() {
            self.fault("the upload of another client", &reply);
        }
        // The session may have expired before a slow response.
        Ok((!session["upload"].is_null()).then_some(session))
    }

    /// Acknowledges the upload. Returns whether the client is done.
    async fn acknowledge(&mut self, session: &Value, sent: Sent) -> Result<bool, Gone> {
        let path = format!("/uploads/{}/acknowledge", id(session));
        let expected =
            (self.record.behavior == Behavior::WrongExpectedSize).then(|| json!({"size": 1}));
        if self.record.behavior == Behavior::AcknowledgeTwice {
            self.acknowledge_at_both(&path).await;
        }
        let reply = self.request(Method::POST, &path, expected).await?;
        let (behavior, code) = (self.record.behavior, code(&reply));
        match (reply.status.as_u16(), code.as_str()) {
            (200, _) => {
                self.record.acknowledged = true;
                let status = reply.json()["status"].as_str().unwrap_or("").to_owned();
                let fits = status == "Uploaded"
                    || (behavior == Behavior::Overwrite && status == "Superseded");
                if !fits {
                    self.fault("acknowledged with an unexpected status", &reply);
                }
                Ok(true)
            }
            // S3 has accepted the object, and no other client writes at its path.
            (409, "object-missing") if sent == Sent::Arrived && !behavior.is_shared() => {
                self.fault(
                    "S3 accepted the object, but the broker reports it missing",
                    &reply,
                );
                Ok(true)
            }
            (409, "object-missing") => Ok(false),
            (409, "dataset-exists") if behavior == Behavior::CompeteForPath => Ok(true),
            // An earlier acknowledge failed, and its response was lost.
            (409, "invalid-status") if behavior == Behavior::CompeteForPath => Ok(true),
            (409, "invalid-status") | (422, "object-mismatch")
                if behavior == Behavior::WrongExpectedSize =>
            {
                Ok(true)
            }
            _ => {
                self.fault("acknowledge", &reply);
                Ok(true)
            }
        }
    }

    /// Acknowledges at both replicas at the same time. If both respond, the responses must be equal.
    async fn acknowledge_at_both(&mut self, path: &str) {
        let send = |which| {
            let caller = self.fleet.caller(which);
            caller.request(Method::POST, path).send()
        };
        let (one, other) = tokio::join!(send(0), send(1));
        let (Ok(one), Ok(other)) = (one, other) else {
            return;
        };
        if one.status() != 200 || other.status() != 200 {
            return;
        }
        let (one, other) = tokio::join!(one.text(), other.text());
        if let (Ok(one), Ok(other)) = (one, other)
            && one != other
        {
            let fault = format!("different responses to one acknowledge: {one} {other}");
            self.record.faults.push(fault);
        }
    }

    async fn cancel(&mut self, session: &Value) -> Result<(), Gone> {
        let path = format!("/uploads/{}/cancel", id(session));
        let reply = self.request(Method::POST, &path, None).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (200, _) => self.record.cancelled = true,
            // The janitor expired the upload first, or an earlier response was lost.
            (409, "invalid-status") => {}
            _ => self.fault("cancel", &reply),
        }
        Ok(())
    }

    async fn delete(&mut self, session: &Value) -> Result<(), Gone> {
        let path = format!("/uploads/{}", id(session));
        let reply = self.request(Method::DELETE, &path, None).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (204, _) => self.record.deleted = true,
            // An earlier response was lost, or another upload superseded this one.
            (409, "invalid-status") => {}
            (409, "dataset-drifted") if self.record.behavior == Behavior::Overwrite => {}
            _ => self.fault("delete", &reply),
        }
        Ok(())
    }
}

fn code(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}
