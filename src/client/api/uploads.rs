//! API calls on upload sessions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::{Api, Page};
use super::send::{Call, LONG_TIMEOUT};
use super::wire::{BatchResult, Expected, NewUpload, Upload};
use crate::client::error::Result;

/// Which uploads to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only uploads of exactly this path.
    pub path: Option<String>,
    /// Only uploads with one of these statuses; all where empty.
    pub statuses: Vec<String>,
    /// The page size, 1 to 1000.
    pub limit: Option<u16>,
}

#[derive(Serialize)]
struct Batch<'a> {
    uploads: &'a [&'a NewUpload],
}

/// One upload of a batch acknowledge.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AcknowledgeItem<'a> {
    /// The id of the upload.
    pub id: Uuid,
    /// The expected properties of its object.
    #[serde(flatten)]
    pub expected: &'a Expected,
}

#[derive(Serialize)]
struct AcknowledgeBatch<'a> {
    acknowledge: &'a [AcknowledgeItem<'a>],
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
    /// Creates an upload session. Repeating the call with the same `idempotency_key` and body
    /// returns the same session.
    pub async fn create(&self, body: &NewUpload, idempotency_key: &str) -> Result<Upload> {
        let call = Call::post("/uploads")
            .json(body)?
            .idempotency_key(idempotency_key);
        self.send_json(&call).await
    }

    /// Creates up to 1,000 sessions. The results are in the order of `bodies`.
    pub async fn create_batch(
        &self,
        bodies: &[&NewUpload],
        idempotency_key: &str,
    ) -> Result<Vec<BatchResult>> {
        let call = Call::post("/uploads/batch").json(&Batch { uploads: bodies })?;
        let answer: BatchAnswer = self
            .send_json(&call.idempotency_key(idempotency_key))
            .await?;
        Ok(answer.results)
    }

    /// Requests an upload, without URLs.
    pub async fn read(&self, id: Uuid) -> Result<Upload> {
        self.send_json(&Call::get(format!("/uploads/{id}"))).await
    }

    /// Requests an upload, with fresh URLs if it is Pending.
    pub async fn refresh(&self, id: Uuid) -> Result<Upload> {
        let target = format!("/uploads/{id}?refresh_urls=true");
        self.send_json(&Call::get(target)).await
    }

    /// Requests one page of uploads, newest first: the first page, or the one that `next` of the
    /// previous page names.
    pub async fn uploads(&self, filter: &Filter, next: Option<&str>) -> Result<Page<Upload>> {
        let limit = filter.limit.unwrap_or(1000).to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(filter.path.as_deref().map(|path| ("path", path)));
        query.extend((filter.statuses.iter()).map(|status| ("status", status.as_str())));
        self.page("/uploads", &query, next).await
    }

    /// Extends a session to `expires_in` seconds from now, or by its original lifetime.
    pub async fn extend(&self, id: Uuid, expires_in: Option<u64>) -> Result<Upload> {
        let call = Call::post(format!("/uploads/{id}/extend"));
        self.send_json(&call.json(&Extend { expires_in })?).await
    }

    /// Has the broker complete and prove an upload. May take minutes for thousands of parts.
    pub async fn acknowledge(&self, id: Uuid, expected: &Expected) -> Result<Upload> {
        let call = Call::post(format!("/uploads/{id}/acknowledge")).json(expected)?;
        self.send_json(&call.timeout(LONG_TIMEOUT)).await
    }

    /// Has the broker prove up to 1,000 uploads. The results are in the order of `due`.
    pub async fn acknowledge_batch(&self, due: &[AcknowledgeItem<'_>]) -> Result<Vec<BatchResult>> {
        let call = Call::post("/uploads/batch/acknowledge")
            .json(&AcknowledgeBatch { acknowledge: due })?;
        let answer: BatchAnswer = self.send_json(&call.timeout(LONG_TIMEOUT)).await?;
        Ok(answer.results)
    }

    /// Cancels an upload. One that is Cancelled already counts as success.
    pub async fn cancel(&self, id: Uuid) -> Result<Upload> {
        match self
            .send_json(&Call::post(format!("/uploads/{id}/cancel")))
            .await
        {
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
