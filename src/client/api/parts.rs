//! Calls on the parts of an upload.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Api;
use super::send::Call;
use super::wire::{Checksum, Part, Parts};
use crate::client::error::Result;

/// One part to be signed.
#[derive(Clone, Debug, Serialize)]
pub struct Wanted {
    /// From 1.
    pub part_number: u32,
    /// Bytes; only where the session has no size yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Of the part; where the session wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

#[derive(Serialize)]
struct Request<'a> {
    parts: &'a [Wanted],
}

#[derive(Deserialize)]
struct Signed {
    parts: Vec<Part>,
}

impl Api {
    /// Signs parts, as often as needed while the session lives.
    pub async fn sign_parts(&self, id: Uuid, parts: &[Wanted]) -> Result<Vec<Part>> {
        let call = Call::post(format!("/uploads/{id}/parts")).json(&Request { parts })?;
        let signed: Signed = self.ask(&call).await?;
        Ok(signed.parts)
    }

    /// Which parts the store has, and which are missing.
    pub async fn parts(&self, id: Uuid) -> Result<Parts> {
        self.ask(&Call::get(format!("/uploads/{id}/parts"))).await
    }
}
