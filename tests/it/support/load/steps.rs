//! The steps of a story, and which answers each may hear.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Plan;
use super::client::{Client, Gone, Sent};
use crate::support::app::id;
use crate::support::reply::Reply;

/// How often bytes are sent again when nobody knows whether they came.
const SENDS: usize = 20;

impl Client<'_> {
    /// The whole story.
    pub async fn live(&mut self) -> Result<(), Gone> {
        let bytes = format!("{},{}\n", self.story.name, self.dice.roll(1_000_000));
        let Some(session) = self.create(&bytes).await? else {
            return Ok(());
        };
        match self.story.plan {
            Plan::Forget => return Ok(()),
            Plan::Cancel => return self.cancel(&session).await,
            Plan::WrongBytes => {
                let other = bytes.replace(',', ";");
                if self.put(&session, &other).await? == Sent::Arrived {
                    self.story.faults.push("S3 took wrong bytes".to_owned());
                }
                if self.dice.percent(50) {
                    return Ok(());
                }
            }
            // A URL of at most four seconds has ended by then.
            Plan::Late => tokio::time::sleep(Duration::from_millis(4_500)).await,
            _ => {}
        }
        for _ in 0..SENDS {
            let sent = self.put(&session, &bytes).await?;
            match self.story.plan {
                Plan::Leave if sent != Sent::Unknown => return Ok(()),
                Plan::CancelLate if sent != Sent::Unknown => return self.cancel(&session).await,
                Plan::Leave | Plan::CancelLate => continue,
                _ => {}
            }
            let is_settled = self.acknowledge(&session, sent).await?;
            if is_settled || sent != Sent::Unknown {
                break;
            }
        }
        let wants_to = match self.story.plan {
            Plan::Delete => true,
            Plan::Contest | Plan::Overwrite => self.dice.percent(30),
            _ => false,
        };
        if wants_to && self.story.acknowledged {
            self.delete(&session).await?;
        }
        Ok(())
    }

    /// A session with a URL, where there is one to be had.
    async fn create(&mut self, bytes: &str) -> Result<Option<Value>, Gone> {
        let plan = self.story.plan;
        // Who competes has a little more time.
        let least = if plan.is_shared() { 6 } else { 2 };
        let mut body = json!({
            "path": self.story.path,
            "name": self.story.name,
            "overwrite": plan == Plan::Overwrite,
            "expires_in": least + self.dice.roll(3),
        });
        let declares = plan == Plan::WrongBytes || self.dice.percent(50);
        if declares && plan != Plan::WrongClaim {
            let sum = STANDARD.encode(sha2::Sha256::digest(bytes));
            body["checksum"] = json!({"algorithm": "SHA256", "value": sum});
            body["size"] = json!(bytes.len());
        }
        let reply = self.ask(Method::POST, "/uploads", Some(body)).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (200 | 201, _) => {}
            (409, "dataset-exists") if plan.is_shared() => return Ok(None),
            _ => {
                self.fault("create", &reply);
                return Ok(None);
            }
        }
        let session = reply.json();
        self.story.ids.insert(id(&session).to_owned());
        if session["name"] != self.story.name.as_str() {
            self.fault("another's upload", &reply);
        }
        // An answer that took long may find it expired.
        Ok((!session["upload"].is_null()).then_some(session))
    }

    /// Acknowledges; whether there is nothing more to do.
    async fn acknowledge(&mut self, session: &Value, sent: Sent) -> Result<bool, Gone> {
        let path = format!("/uploads/{}/acknowledge", id(session));
        let claims = (self.story.plan == Plan::WrongClaim).then(|| json!({"size": 1}));
        if self.story.plan == Plan::Twice {
            self.both(&path).await;
        }
        let reply = self.ask(Method::POST, &path, claims).await?;
        let (plan, code) = (self.story.plan, code(&reply));
        match (reply.status.as_u16(), code.as_str()) {
            (200, _) => {
                self.story.acknowledged = true;
                let status = reply.json()["status"].as_str().unwrap_or("").to_owned();
                let fits =
                    status == "Uploaded" || (plan == Plan::Overwrite && status == "Superseded");
                if !fits {
                    self.fault("acknowledged, and not", &reply);
                }
                Ok(true)
            }
            // S3 said that it is there, and nobody else may write at its path.
            (409, "object-missing") if sent == Sent::Arrived && !plan.is_shared() => {
                self.fault("S3 took it, and the broker misses it", &reply);
                Ok(true)
            }
            (409, "object-missing") => Ok(false),
            (409, "dataset-exists") if plan == Plan::Contest => Ok(true),
            // It failed before, and that answer was lost.
            (409, "invalid-status") if plan == Plan::Contest => Ok(true),
            (409, "invalid-status") | (422, "object-mismatch") if plan == Plan::WrongClaim => {
                Ok(true)
            }
            _ => {
                self.fault("acknowledge", &reply);
                Ok(true)
            }
        }
    }

    /// At both replicas at once: two that are answered hear the same.
    async fn both(&mut self, path: &str) {
        let ask = |which| {
            let caller = self.fleet.caller(which);
            caller.request(Method::POST, path).send()
        };
        let (one, other) = tokio::join!(ask(0), ask(1));
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
            let fault = format!("two answers to one acknowledge: {one} {other}");
            self.story.faults.push(fault);
        }
    }

    async fn cancel(&mut self, session: &Value) -> Result<(), Gone> {
        let path = format!("/uploads/{}/cancel", id(session));
        let reply = self.ask(Method::POST, &path, None).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (200, _) => self.story.cancelled = true,
            // The janitor was faster, or an earlier answer was lost.
            (409, "invalid-status") => {}
            _ => self.fault("cancel", &reply),
        }
        Ok(())
    }

    async fn delete(&mut self, session: &Value) -> Result<(), Gone> {
        let path = format!("/uploads/{}", id(session));
        let reply = self.ask(Method::DELETE, &path, None).await?;
        match (reply.status.as_u16(), code(&reply).as_str()) {
            (204, _) => self.story.deleted = true,
            // An earlier answer was lost, or another took its place.
            (409, "invalid-status") => {}
            (409, "dataset-drifted") if self.story.plan == Plan::Overwrite => {}
            _ => self.fault("delete", &reply),
        }
        Ok(())
    }
}

fn code(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}
