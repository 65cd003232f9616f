//! The state of an upload at one point in time.

use serde::Serialize;
use uuid::Uuid;

use crate::client::api::Api;
use crate::client::api::wire::{Parts, Upload};
use crate::client::error::Result;

/// An upload, and how much of it the store has.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    #[serde(flatten)]
    pub(super) upload: Upload,
    /// The progress of a multipart upload while it is Pending.
    pub(super) progress: Option<Progress>,
}

/// The parts that the store has.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    pub(super) uploaded_parts: usize,
    pub(super) uploaded_bytes: u64,
    pub(super) part_count: Option<u32>,
    /// Ranges of part numbers, both ends inclusive.
    pub(super) missing: Vec<(u32, u32)>,
}

impl Snapshot {
    /// Requests the upload, and its parts if it is a Pending multipart upload.
    pub(super) async fn fetch(api: &Api, id: Uuid) -> Result<Self> {
        let upload = api.read(id).await?;
        let in_parts = upload.status == "Pending" && upload.multipart.is_some();
        let progress = match in_parts {
            true => match api.parts(id).await {
                Ok(parts) => Some(parts.into()),
                // The upload has ended between the two requests; or it is being completed, so that
                // its parts are an object already and its row is not updated yet.
                Err(error)
                    if ["invalid-status", "object-missing"]
                        .iter()
                        .any(|code| error.has_code(code)) =>
                {
                    None
                }
                Err(error) => return Err(error),
            },
            false => None,
        };
        Ok(Self { upload, progress })
    }

    /// Whether anything that is printed differs.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let has_drifted = |snapshot: &Self| snapshot.upload.drift.is_some();
        self.upload.status != other.upload.status
            || self.progress != other.progress
            || has_drifted(self) != has_drifted(other)
    }
}

impl From<Parts> for Progress {
    fn from(parts: Parts) -> Self {
        Self {
            uploaded_parts: parts.uploaded.len(),
            uploaded_bytes: parts.uploaded.iter().map(|part| part.size).sum(),
            part_count: parts.part_count,
            missing: parts.missing,
        }
    }
}
