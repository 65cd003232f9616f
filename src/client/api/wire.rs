//! The contract's JSON, as this client reads and writes it. Members that it does not know are
//! skipped, so that a newer broker is understood.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time;

/// A pre-signed URL: a credential. `Debug` hides it, and it is not written out.
#[derive(Clone, Deserialize)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// For the request, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A checksum, in base64; a composite one ends in `-` and the number of parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Checksum {
    /// `SHA256`, `SHA1`, `CRC32`, `CRC32C` or `CRC64NVME`.
    pub algorithm: String,
    /// As S3 writes it.
    pub value: String,
}

impl Checksum {
    /// Whether it is of all the bytes in their order, and not of the checksums of parts.
    pub fn is_of_whole(&self) -> bool {
        !self.value.contains('-')
    }
}

/// What `POST /uploads` takes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUpload {
    /// Where to.
    pub path: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A note for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// Kept by the broker.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// By default from the path's extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Bytes, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether to replace what stands there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Replace exactly this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// In parts, or not; by default the broker chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multipart: Option<bool>,
    /// Bytes of a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// With which algorithm every part is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_checksums: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// An upload session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Upload {
    /// Its id.
    pub id: Uuid,
    /// Where it is in its life.
    pub status: String,
    /// With its leading slash.
    pub path: String,
    /// A name for people.
    pub name: String,
    /// Bytes, as declared.
    pub size: Option<u64>,
    /// As declared.
    pub checksum: Option<Checksum>,
    /// As declared.
    #[serde(default)]
    pub content_type: String,
    /// When the session was made.
    #[serde(serialize_with = "time::exact")]
    pub created_at: DateTime<Utc>,
    /// When the session ends.
    #[serde(serialize_with = "time::exact")]
    pub expires_at: DateTime<Utc>,
    /// When the object was proven.
    #[serde(serialize_with = "time::optional")]
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The object, as it was proven.
    pub object: Option<ProvenObject>,
    /// How it was proven.
    pub verification: Option<Verification>,
    /// What became of the object since.
    pub drift: Option<Drift>,
    /// Where to PUT the bytes. Not written out: it holds a URL.
    #[serde(skip_serializing)]
    pub upload: Option<Put>,
    /// The session in parts. Not written out: it holds URLs.
    #[serde(skip_serializing)]
    pub multipart: Option<Multipart>,
}

impl Upload {
    /// Whether nothing is going to happen by itself any more.
    pub fn is_settled(&self) -> bool {
        !matches!(self.status.as_str(), "Pending" | "Processing" | "Deleting")
    }

    /// Whether the object arrived and is the promised one.
    pub fn is_proven(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Uploaded" | "Processing" | "Processed"
        )
    }
}

/// A pre-signed PUT of the whole.
#[derive(Clone, Debug, Deserialize)]
pub struct Put {
    /// Where to.
    pub url: SignedUrl,
    /// Send exactly these with it.
    pub headers: BTreeMap<String, String>,
    /// When the URL ends.
    pub expires_at: DateTime<Utc>,
}

/// A session in parts.
#[derive(Clone, Debug, Deserialize)]
pub struct Multipart {
    /// Bytes of every part but the last; none where the client chooses.
    pub part_size: Option<u64>,
    /// None while the size is not known.
    pub part_count: Option<u32>,
    /// With which algorithm every part is signed.
    #[serde(default)]
    pub part_checksums: Option<String>,
    /// The first ones, signed.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Where more are asked for.
    #[serde(default)]
    pub next: Option<String>,
}

/// A pre-signed part.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// From 1.
    pub part_number: u32,
    /// Where it begins, where that is known.
    pub offset: Option<u64>,
    /// Bytes: exactly so many.
    pub size: u64,
    /// Where to PUT it.
    pub url: SignedUrl,
    /// Send exactly these with it.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When the URL ends.
    pub expires_at: DateTime<Utc>,
}

/// Which parts the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Parts {
    /// Those that are there.
    pub uploaded: Vec<UploadedPart>,
    /// Ranges of those that are not, both ends included.
    pub missing: Vec<(u32, u32)>,
    /// Bytes of every part but the last.
    pub part_size: Option<u64>,
    /// None while the size is not known.
    pub part_count: Option<u32>,
}

/// A part that the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UploadedPart {
    /// From 1.
    pub part_number: u32,
    /// Bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// Where the store returned one.
    pub checksum: Option<Checksum>,
}

/// What acknowledge takes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Acknowledge {
    /// Of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Bytes of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// Why an upload failed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failure {
    /// A problem code.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// The object of an upload, as it was proven.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ProvenObject {
    /// Bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// In a versioned bucket.
    pub version_id: Option<String>,
    /// Where the store returned one.
    pub content_type: Option<String>,
    /// Where the store returned one.
    pub checksum: Option<Checksum>,
    /// When the store took it.
    #[serde(serialize_with = "time::exact")]
    pub last_modified: DateTime<Utc>,
}

/// How an upload was proven.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Verification {
    /// `checksum`, `size` or `existence`.
    pub level: String,
    /// Who asked.
    pub by: String,
    /// When.
    #[serde(serialize_with = "time::exact")]
    pub at: DateTime<Utc>,
}

/// A change of a proven object behind the broker's back.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Drift {
    /// `missing` or `replaced`.
    pub kind: String,
    /// When it was noticed.
    #[serde(serialize_with = "time::exact")]
    pub at: DateTime<Utc>,
}

/// One entry of a batch's answer.
#[derive(Clone, Debug, Deserialize)]
pub struct BatchResult {
    /// What it would have got alone.
    pub status: u16,
    /// The session.
    pub upload: Option<Upload>,
    /// Or why not.
    pub problem: Option<super::problem::Problem>,
}
