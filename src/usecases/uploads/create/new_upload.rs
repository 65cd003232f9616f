//! What a client asks for when it creates an upload.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::domain::headers::ObjectHeaders;

/// What a client asks for, as it came; see the contract of `POST /uploads`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUpload {
    /// With or without the leading slash.
    pub path: String,
    /// By default the file stem.
    pub name: Option<String>,
    /// A note.
    pub comments: Option<String>,
    /// Kept in Postgres.
    pub metadata: BTreeMap<String, String>,
    /// By default by the extension.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// The algorithm's name and the value in base64.
    pub checksum: Option<(String, String)>,
    /// Whether an object that stands there may be replaced.
    pub overwrite: Option<bool>,
    /// Replace exactly this version.
    pub if_match: Option<String>,
    /// Set on the object.
    pub headers: ObjectHeaders,
    /// How long the URL lives, in seconds.
    pub expires_in: Option<u32>,
    /// Whether the bytes come in parts; by default where there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multipart: Option<bool>,
    /// Bytes of a part. Asks for parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// The algorithm by which S3 shall check every part. Asks for parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_checksums: Option<String>,
    /// What differs for an Uppy client; `None` for any other.
    #[serde(skip)]
    pub uppy: Option<UppyUpload>,
    /// The upload of the same tenant that the dataset is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<DerivedFrom>,
}

/// What differs for a client that speaks the protocol of Uppy Companion, which need not state a size.
/// Such an upload counts against a token as the largest object that it may become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UppyUpload {
    /// The most bytes that the client states, for an upload in parts.
    pub max_size: Option<u64>,
    /// Whether no client acknowledges the upload, so that the broker has to check whether its object
    /// has arrived.
    pub is_unacknowledged: bool,
}

/// The upload that a dataset is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DerivedFrom {
    /// As the caller says. It is checked.
    Declared(Uuid),
    /// As the broker itself knows.
    Known(Uuid),
}

impl DerivedFrom {
    /// The id of the upload.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Declared(id) | Self::Known(id) => id,
        }
    }
}
