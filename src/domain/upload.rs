//! The upload: a promise that one object will arrive at one path.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::checksum::Algorithm;
use super::drift::{Drift, Drifted};
use super::headers::ObjectHeaders;
use super::object::{FoundObject, ProvenObject, same_etag};
use super::path::DatasetPath;
use super::proof::{Declared, ProofLevel};
use super::status::Status;

/// A row of `uploads`.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// UUIDv7.
    pub id: Uuid,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The path as the tenant sees it.
    pub path: DatasetPath,
    /// Where the object goes.
    pub bucket: String,
    /// The S3 key: the path under the tenant's key prefix.
    pub key: String,
    /// Where it is in its life.
    pub status: Status,
    /// A name for people.
    pub name: String,
    /// A note for people.
    pub comments: Option<String>,
    /// Kept here, not in S3.
    pub metadata: BTreeMap<String, String>,
    /// What was promised.
    pub declared: Declared,
    /// May the object replace another one?
    pub write: WriteRule,
    /// Set on the object.
    pub headers: ObjectHeaders,
    /// How its bytes come in parts; `None` where they come in a single PUT.
    pub multipart: Option<Multipart>,
    /// The largest object that it may become, in bytes, where whoever made it was bounded.
    pub max_size: Option<u64>,
    /// How long a URL lives, in seconds.
    pub lifetime_seconds: u32,
    /// When it was promised.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
    /// When the last URL handed out ends.
    pub expires_at: DateTime<Utc>,
    /// When it was proven.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why it is in `Error`, or what was found when it expired.
    pub error: Option<Failure>,
    /// The object, as it was when it was proven.
    pub object: Option<ProvenObject>,
    /// How it was proven.
    pub verification: Option<Verification>,
    /// What became of the object since, as far as it was noticed.
    pub drift: Option<Drifted>,
    /// The number of the last event.
    pub sequence: i32,
    /// The token of the lease under which this copy is worked on: changes through it are made only
    /// while the row still has that one. `None` where no lease is needed.
    pub lease_token: Option<Uuid>,
}

impl Upload {
    /// This copy, worked on under the lease with this token.
    pub fn with_lease_token(self, token: Uuid) -> Self {
        Self {
            lease_token: Some(token),
            ..self
        }
    }

    /// Whether the object at the key is this upload's own. For a proven upload the ETag decides, as
    /// it does for drift: the same bytes written again are the same dataset. For any other upload
    /// the metadata of the object decides.
    pub fn owns(&self, found: &FoundObject) -> bool {
        match &self.object {
            Some(proven) => same_etag(&proven.etag, &found.etag),
            None => found.upload_id == Some(self.id),
        }
    }

    /// Compares the proven object with what a HEAD request found at its key. `None` if the proven
    /// object is still there.
    ///
    /// The ETag decides: the same bytes written again are the same dataset.
    pub fn detect_drift(&self, found: Option<&FoundObject>) -> Option<Drift> {
        let Some(found) = found else {
            return Some(Drift::Missing);
        };
        has_drifted(Some(self), &found.etag).then_some(Drift::Replaced)
    }

    /// Whether the upload was created for this bucket and key. A copy of an object has the metadata
    /// of the original, so metadata that names this upload counts only here.
    pub fn is_at(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }

    /// Whether an acknowledge has nothing left to do: it was proven once, and its object was not
    /// deleted since. What became of it later, the status tells.
    pub fn was_acknowledged(&self) -> bool {
        self.verification.is_some() && !matches!(self.status, Status::Deleting | Status::Deleted)
    }

    /// The size that was declared at create, in bytes: `None` where it was left open, also once an
    /// acknowledge has named it. Ask it of uploads that were not acknowledged yet.
    pub fn size_at_create(&self) -> Option<u64> {
        match &self.multipart {
            Some(multipart) => multipart.part_count.and(self.declared.size),
            None => self.declared.size,
        }
    }

    /// `s3://bucket/key`.
    pub fn s3_url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Bytes that come in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// The upload, as S3 calls it.
    pub s3_upload_id: String,
    /// Bytes of every part but the last; where the size is open, a size to begin with.
    pub part_size: u64,
    /// How many parts; `None` where the size was open at create.
    pub part_count: Option<u32>,
    /// The algorithm by which S3 checks every part; `None` where it checks none.
    pub part_checksums: Option<Algorithm>,
}

/// The name of what stands at a path: the declared one, or the file stem.
pub fn display_name<'a>(path: &'a DatasetPath, upload: Option<&'a Upload>) -> &'a str {
    upload.map_or_else(|| path.file_stem(), |upload| &upload.name)
}

/// Whether an object with this ETag is no longer the one that was proven.
pub fn has_drifted(upload: Option<&Upload>, etag: &str) -> bool {
    upload
        .and_then(|upload| upload.object.as_ref())
        .is_some_and(|proven| !same_etag(&proven.etag, etag))
}

/// What a PUT may do to an object that stands at its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteRule {
    /// Nothing may stand there: `If-None-Match: *`.
    CreateOnly,
    /// Whatever stands there may be replaced.
    Overwrite,
    /// Exactly this version may be replaced: `If-Match`.
    Replace {
        /// With its quotes.
        etag: String,
    },
}

impl WriteRule {
    /// Whether an object that stands there is no obstacle in itself.
    pub fn may_replace(&self) -> bool {
        !matches!(self, Self::CreateOnly)
    }
}

/// Why an upload failed, in public words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// A problem code.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// How an upload was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How much was proven.
    pub level: ProofLevel,
    /// Who asked.
    pub by: Verifier,
    /// When.
    pub at: DateTime<Utc>,
}

/// Who asked for a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verifier {
    /// The client, by its acknowledge.
    Acknowledge,
    /// The loop that looks at overdue uploads.
    Janitor,
    /// An event of the store.
    S3Event,
    /// A client that speaks Companion's protocol.
    Uppy,
}

impl Verifier {
    /// Every verifier.
    pub const ALL: [Self; 4] = [Self::Acknowledge, Self::Janitor, Self::S3Event, Self::Uppy];

    /// The name, as it stands in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Janitor => "janitor",
            Self::S3Event => "s3-event",
            Self::Uppy => "uppy",
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
