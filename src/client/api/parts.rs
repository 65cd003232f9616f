//! API calls on the parts of an upload.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Api;
use super::send::Call;
use super::wire::{Checksum, Part, Parts};
use crate::client::error::Result;

/// A part whose pre-signed URL is requested.
#[derive(Clone, Debug, Serialize)]
pub struct PartRequest {
    /// The number of the part, from 1.
    pub part_number: u32,
    /// The size in bytes; only for a session whose size is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The checksum of the part, if the session requires one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

#[derive(Serialize)]
struct Request<'a> {
    parts: &'a [PartRequest],
}

#[derive(Deserialize)]
struct Signed {
    parts: Vec<Part>,
}

impl Api {
    /// Requests pre-signed URLs for parts. May be repeated as long as the session is open.
    pub async fn sign_parts(&self, id: Uuid, parts: &[PartRequest]) -> Result<Vec<Part>> {
        let call = Call::post(format!("/uploads/{id}/parts")).json(&Request { parts })?;
        let signed: Signed = self.send_json(&call).await?;
        Ok(signed.parts)
    }

    /// Lists the parts that the store has, and the ranges that are missing.
    pub async fn parts(&self, id: Uuid) -> Result<Parts> {
        self.send_json(&Call::get(format!("/uploads/{id}/parts")))
            .await
    }
}
