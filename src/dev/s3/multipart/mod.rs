//! Multipart uploads: begun, filled part by part, then completed to one object or aborted.
//!
//! ```text
//!   create ─▶ index: upload ─▶ part ─▶ body file + index: part ─▶ complete ─▶ one body, one object
//!                                                               └▶ abort
//! ```
//!
//! A part is a body file like an object's, received and verified before the index names it. A
//! completion copies the parts into a new body (twice the room on disk, for that time), and then
//! one transaction puts the object in place, by its precondition, and forgets upload and parts.
//!
//! On a fault: until that transaction the upload and its parts are as they were, after it there is
//! the object. A crash between it and the removal of the parts' files leaves these to the sweep of
//! the next start.

use s3s::S3Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bodies::BodyId;
use super::checksum::Checksum;
use super::errors::Fault;
use super::object::About;

pub(super) mod complete;
pub(super) mod create;
mod join;
pub(super) mod list;
pub(super) mod part;
pub(super) mod part_copy;
mod plan;
mod sum;

pub(super) use sum::Sum;

/// Names an upload. S3 finds one by bucket, key and id together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub bucket: String,
    pub key: String,
    /// Grows with time, so that uploads of one key list in the order of their making.
    pub id: Uuid,
}

impl Place {
    /// # Errors
    /// `NoSuchUpload`, when the text is no id of ours.
    pub(super) fn of(bucket: &str, key: &str, id: &str) -> S3Result<Self> {
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            id: Uuid::try_parse(id).map_err(|_| Fault::NoSuchUpload)?,
        })
    }
}

/// The record of one upload, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub initiated_ms: u64,
    /// What its creation named; else there is a CRC64NVME of the whole.
    pub sum: Option<Sum>,
    pub about: About,
}

impl Upload {
    /// Of the object to be.
    pub(super) fn sum(&self) -> Sum {
        self.sum.unwrap_or_default()
    }
}

/// The record of one part, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub body: BodyId,
    pub size: u64,
    /// Its ETag, as bytes.
    pub md5: [u8; 16],
    pub modified_ms: u64,
    /// What the client declared, else of the upload's algorithm.
    pub checksum: Checksum,
}
