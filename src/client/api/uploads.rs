//! Calls on upload sessions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::send::{Call, LONG};
use super::wire::{Acknowledge, BatchResult, NewUpload, Upload};
use super::{Api, Page};
use crate::client::error::Result;

/// Which uploads to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of exactly this path.
    pub path: Option<String>,
    /// In one of these states; in any where empty.
    pub statuses: Vec<String>,
    /// How many in a page, 1 to 1000.
    pub limit: Option<u16>,
}

#[derive(Serialize)]
struct Batch<'a> {
    uploads: &'a [&'a NewUpload],
}

/// One acknowledge among several.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Acknowledged<'a> {
    /// Of the upload.
    pub id: Uuid,
    /// What is claimed of it.
    #[serde(flatten)]
    pub claims: &'a Acknowledge,
}

#[derive(Serialize)]
struct AcknowledgeBatch<'a> {
    acknowledge: &'a [Acknowledged<'a>],
}

#[derive(Deserialize)]
struct BatchAnswer {
    results: Vec<BatchResult>,
}

#[derive(Serialize)]
struct Extend {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

impl Api {
    /// A session. The same `idempotency_key` with the same body finds the session again.
    pub async fn create(&self, body: &NewUpload, idempotency_key: &str) -> Result<Upload> {
        let call = Call::post("/uploads").json(body)?.once(idempotency_key);
        self.ask(&call).await
    }

    /// Up to 1,000 sessions, each with its own result, in order.
    pub async fn create_batch(
        &self,
        bodies: &[&NewUpload],
        idempotency_key: &str,
    ) -> Result<Vec<BatchResult>> {
        let call = Call::post("/uploads/batch").json(&Batch { uploads: bodies })?;
        let answer: BatchAnswer = self.ask(&call.once(idempotency_key)).await?;
        Ok(answer.results)
    }

    /// An upload, without URLs.
    pub async fn read(&self, id: Uuid) -> Result<Upload> {
        self.ask(&Call::get(format!("/uploads/{id}"))).await
    }

    /// An upload, with fresh URLs where it is Pending.
    pub async fn refresh(&self, id: Uuid) -> Result<Upload> {
        let target = format!("/uploads/{id}?refresh_urls=true");
        self.ask(&Call::get(target)).await
    }

    /// One page of uploads, newest first: the first one, or the one that the page before named.
    pub async fn uploads(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Upload>> {
        let limit = filter.limit.unwrap_or(1000).to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(filter.path.as_deref().map(|path| ("path", path)));
        query.extend((filter.statuses.iter()).map(|status| ("status", status.as_str())));
        self.page("/uploads", &query, next).await
    }

    /// Lets a session live longer: by `expires_in` seconds from now, or by its first life.
    pub async fn extend(&self, id: Uuid, expires_in: Option<u64>) -> Result<Upload> {
        let call = Call::post(format!("/uploads/{id}/extend"));
        self.ask(&call.json(&Extend { expires_in })?).await
    }

    /// Has the broker complete and prove it. May take minutes for thousands of parts.
    pub async fn acknowledge(&self, id: Uuid, claims: &Acknowledge) -> Result<Upload> {
        let call = Call::post(format!("/uploads/{id}/acknowledge")).json(claims)?;
        self.ask(&call.within(LONG)).await
    }

    /// Has the broker prove up to 1,000 uploads, each with its own result, in order.
    pub async fn acknowledge_batch(&self, due: &[Acknowledged<'_>]) -> Result<Vec<BatchResult>> {
        let call = Call::post("/uploads/batch/acknowledge")
            .json(&AcknowledgeBatch { acknowledge: due })?;
        let answer: BatchAnswer = self.ask(&call.within(LONG)).await?;
        Ok(answer.results)
    }

    /// Takes the promise back. An upload that is Cancelled already counts as done.
    pub async fn cancel(&self, id: Uuid) -> Result<Upload> {
        match self.ask(&Call::post(format!("/uploads/{id}/cancel"))).await {
            Err(error) => {
                let problem = error.problem();
                let status = problem.and_then(|problem| problem.upload_status.as_deref());
                if status == Some("Cancelled") {
                    return self.read(id).await;
                }
                Err(error)
            }
            done => done,
        }
    }
}
