//! Uploads: each one is an announced object for one path.

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

/// A row of the table `uploads`.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// UUIDv7.
    pub id: Uuid,
    /// The tenant that the upload belongs to.
    pub tenant: String,
    /// The path, as the tenant sees it.
    pub path: DatasetPath,
    /// The bucket of the object.
    pub bucket: String,
    /// The S3 key: the key prefix of the tenant and the path.
    pub key: String,
    /// The status in the lifecycle.
    pub status: Status,
    /// A display name.
    pub name: String,
    /// Free text of the client.
    pub comments: Option<String>,
    /// Metadata of the client. It is stored in Postgres, not in S3.
    pub metadata: BTreeMap<String, String>,
    /// What the client has declared about the object.
    pub declared: Declared,
    /// Whether the object may replace another one.
    pub write: WriteRule,
    /// The headers that are set on the object.
    pub headers: ObjectHeaders,
    /// The multipart upload; `None` if the bytes are sent in a single PUT.
    pub multipart: Option<Multipart>,
    /// The upload whose object this one was made from. The broker itself sets it for the results of
    /// its processors; `None` for what a client uploads, and after retention has removed the row of
    /// that upload.
    pub derived_from: Option<Uuid>,
    /// Whether an Uppy client created it, by the protocol of Uppy Companion.
    pub by_uppy: bool,
    /// When the next check is due whether the object has arrived, for an upload that no client
    /// acknowledges.
    pub arrival_check_at: Option<DateTime<Utc>>,
    /// The largest allowed size in bytes: that of the credential that created the upload, or the one
    /// that its client stated, if there is one.
    pub max_size: Option<u64>,
    /// The lifetime of a URL in seconds.
    pub lifetime_seconds: u32,
    /// When the upload was created.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
    /// When the last issued URL expires.
    pub expires_at: DateTime<Utc>,
    /// When the object was proven.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why the status is `Error`, or what was found when the upload expired.
    pub error: Option<Failure>,
    /// The object at the time of its proof.
    pub object: Option<ProvenObject>,
    /// How the object was proven.
    pub verification: Option<Verification>,
    /// The drift of the object since its proof, if one was detected.
    pub drift: Option<Drifted>,
    /// The sequence number of the last event.
    pub sequence: i32,
    /// The token of the lease under which this value was read. It is a fencing token: a change that
    /// is based on this value is only made while the row still has this lease. `None` if no lease
    /// is needed.
    pub lease_token: Option<Uuid>,
}

impl Upload {
    /// Sets the token of the lease under which this value was read.
    pub fn with_lease_token(self, token: Uuid) -> Self {
        Self {
            lease_token: Some(token),
            ..self
        }
    }

    /// Whether the object found at the key belongs to this upload.
    ///
    /// For a proven upload the ETag decides, as for drift: the same bytes written again are the
    /// same dataset. For any other upload the metadata of the object decides.
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

    /// Whether the upload was created for this bucket and key.
    ///
    /// A copy of an object has the metadata of the original, so metadata that names this upload
    /// counts only at this bucket and key.
    pub fn is_at(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }

    /// Whether an acknowledge has nothing left to do: the object was proven and has not been
    /// deleted since. The status says what happened later.
    pub fn was_acknowledged(&self) -> bool {
        self.verification.is_some() && !matches!(self.status, Status::Deleting | Status::Deleted)
    }

    /// The size in bytes that was declared at create. `None` if it was left open, even if an
    /// acknowledge has stated it since.
    ///
    /// The result is meaningful only for uploads that were not acknowledged yet.
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

/// The multipart upload of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// The upload id of S3.
    pub s3_upload_id: String,
    /// The size in bytes of every part except the last; if the size of the object is open, a
    /// suggested size.
    pub part_size: u64,
    /// The number of parts; `None` if the size was open at create.
    pub part_count: Option<u32>,
    /// The checksum algorithm by which S3 checks every part; `None` if parts have no checksums.
    pub part_checksums: Option<Algorithm>,
}

/// The display name of the dataset at `path`: the name of its upload, or the file stem if it has no
/// upload.
pub fn display_name<'a>(path: &'a DatasetPath, upload: Option<&'a Upload>) -> &'a str {
    upload.map_or_else(|| path.file_stem(), |upload| &upload.name)
}

/// Whether the ETag at the key differs from that of the proven object. `false` if there is no
/// proven object.
pub fn has_drifted(upload: Option<&Upload>, etag: &str) -> bool {
    upload
        .and_then(|upload| upload.object.as_ref())
        .is_some_and(|proven| !same_etag(&proven.etag, etag))
}

/// Whether a PUT may replace an object at its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteRule {
    /// There must be no object at the key: `If-None-Match: *`.
    CreateOnly,
    /// Any object may be replaced.
    Overwrite,
    /// Only the object with this ETag may be replaced: `If-Match`.
    Replace {
        /// The ETag with its quotes.
        etag: String,
    },
}

impl WriteRule {
    /// Whether an existing object may be replaced at all.
    pub fn may_replace(&self) -> bool {
        !matches!(self, Self::CreateOnly)
    }
}

/// Why an upload failed, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// A problem code.
    pub code: String,
    /// An explanation.
    pub detail: String,
}

/// How an object was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How strong the proof is.
    pub level: ProofLevel,
    /// What triggered the proof.
    pub by: Verifier,
    /// When the object was proven.
    pub at: DateTime<Utc>,
}

/// What triggered a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verifier {
    /// An acknowledge of the client.
    Acknowledge,
    /// The janitor, which checks overdue uploads.
    Janitor,
    /// An event notification of the store.
    S3Event,
    /// A client that uses the protocol of Uppy Companion.
    Uppy,
}

impl Verifier {
    /// Every verifier.
    pub const ALL: [Self; 4] = [Self::Acknowledge, Self::Janitor, Self::S3Event, Self::Uppy];

    /// The name in JSON and in Postgres.
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
