//! The JSON documents of the API, as this client reads and writes them. Unknown members are
//! ignored, so that a newer broker is understood.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time;

/// A pre-signed URL, which is a credential. `Debug` hides it, and it cannot be serialized.
#[derive(Clone, Deserialize)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// The URL itself. Use it for the request only; never print it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A checksum in base64. A composite one ends with `-` and the number of parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Checksum {
    /// `SHA256`, `SHA1`, `CRC32`, `CRC32C` or `CRC64NVME`.
    pub algorithm: String,
    /// The value, as S3 writes it.
    pub value: String,
}

impl Checksum {
    /// Whether it covers all bytes in order (`FULL_OBJECT`), and not the checksums of parts
    /// (`COMPOSITE`).
    pub fn is_full_object(&self) -> bool {
        !self.value.contains('-')
    }
}

/// The body of `POST /uploads`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUpload {
    /// The path of the dataset.
    pub path: String,
    /// A display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// Key-value pairs that the broker stores with the upload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The content type; by default derived from the extension of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The size in bytes, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The checksum of the whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether to replace an existing dataset at the path.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Replace only the version with this ETag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// Whether to upload in parts; by default the broker decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multipart: Option<bool>,
    /// The size of a part in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// The checksum algorithm that every part is signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_checksums: Option<String>,
    /// The lifetime of the session in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// An upload session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Upload {
    /// The id of the upload.
    pub id: Uuid,
    /// The status of the upload.
    pub status: String,
    /// The path, with its leading slash.
    pub path: String,
    /// The display name.
    pub name: String,
    /// The declared size in bytes.
    pub size: Option<u64>,
    /// The declared checksum.
    pub checksum: Option<Checksum>,
    /// The declared content type.
    #[serde(default)]
    pub content_type: String,
    /// When the session was created.
    #[serde(serialize_with = "time::required")]
    pub created_at: DateTime<Utc>,
    /// When the session expires.
    #[serde(serialize_with = "time::required")]
    pub expires_at: DateTime<Utc>,
    /// When the object was proven.
    #[serde(serialize_with = "time::optional")]
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why the upload failed.
    pub error: Option<Failure>,
    /// The object, as it was proven.
    pub object: Option<ProvenObject>,
    /// How the object was proven.
    pub verification: Option<Verification>,
    /// How the object was changed afterwards without the broker.
    pub drift: Option<Drift>,
    /// The pre-signed PUT. Not serialized, because it contains a URL.
    #[serde(skip_serializing)]
    pub upload: Option<Put>,
    /// The multipart session. Not serialized, because it contains URLs.
    #[serde(skip_serializing)]
    pub multipart: Option<Multipart>,
}

impl Upload {
    /// Whether the status will not change any more without a request.
    pub fn is_final(&self) -> bool {
        !matches!(self.status.as_str(), "Pending" | "Processing" | "Deleting")
    }

    /// Whether the object arrived and was proven.
    pub fn is_proven(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Uploaded" | "Processing" | "Processed"
        )
    }
}

/// A pre-signed PUT of the whole object.
#[derive(Clone, Debug, Deserialize)]
pub struct Put {
    /// The URL to PUT the bytes to.
    pub url: SignedUrl,
    /// The headers to send with it: exactly these.
    pub headers: BTreeMap<String, String>,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

/// A session whose object is uploaded in parts.
#[derive(Clone, Debug, Deserialize)]
pub struct Multipart {
    /// The size in bytes of every part but the last; `None` where the client chooses.
    pub part_size: Option<u64>,
    /// The number of parts; `None` while the size is not known.
    pub part_count: Option<u32>,
    /// The checksum algorithm that every part is signed with.
    #[serde(default)]
    pub part_checksums: Option<String>,
    /// The first parts, pre-signed.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The URL to request more parts from.
    #[serde(default)]
    pub next: Option<String>,
}

/// A pre-signed part.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// The number of the part, from 1.
    pub part_number: u32,
    /// The offset of its first byte, if it is known.
    pub offset: Option<u64>,
    /// The exact size in bytes.
    pub size: u64,
    /// The URL to PUT the part to.
    pub url: SignedUrl,
    /// The headers to send with it: exactly these.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

/// The parts of an upload.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Parts {
    /// The parts that the store has.
    pub uploaded: Vec<UploadedPart>,
    /// Ranges of the missing parts, both ends inclusive.
    pub missing: Vec<(u32, u32)>,
    /// The size in bytes of every part but the last.
    pub part_size: Option<u64>,
    /// The number of parts; `None` while the size is not known.
    pub part_count: Option<u32>,
}

/// A part that the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UploadedPart {
    /// The number of the part, from 1.
    pub part_number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The ETag, with its quotes.
    pub etag: String,
    /// The checksum, where the store returned one.
    pub checksum: Option<Checksum>,
}

/// The body of an acknowledge: the client's expected values of the object.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Expected {
    /// The checksum of the whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The size of the whole object in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The ETag of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// Why an upload failed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failure {
    /// A problem code.
    pub code: String,
    /// A message for humans.
    pub detail: String,
}

/// The object of an upload, as it was proven.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ProvenObject {
    /// The size in bytes.
    pub size: u64,
    /// The ETag, with its quotes.
    pub etag: String,
    /// The version id, in a versioned bucket.
    pub version_id: Option<String>,
    /// The content type, where the store returned one.
    pub content_type: Option<String>,
    /// The checksum, where the store returned one.
    pub checksum: Option<Checksum>,
    /// When the store received the object.
    #[serde(serialize_with = "time::required")]
    pub last_modified: DateTime<Utc>,
}

/// How an object was proven.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Verification {
    /// `checksum`, `size` or `existence`.
    pub level: String,
    /// What triggered the proof.
    pub by: String,
    /// When the object was proven.
    #[serde(serialize_with = "time::required")]
    pub at: DateTime<Utc>,
}

/// A change of a proven object that was made without the broker.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Drift {
    /// `missing` or `replaced`.
    pub kind: String,
    /// When the change was noticed.
    #[serde(serialize_with = "time::required")]
    pub at: DateTime<Utc>,
}

/// The result of one item of a batch.
#[derive(Clone, Debug, Deserialize)]
pub struct BatchResult {
    /// The HTTP status that the item would have got as a single request.
    pub status: u16,
    /// The session, on success.
    pub upload: Option<Upload>,
    /// The problem, on failure.
    pub problem: Option<super::problem::Problem>,
}
