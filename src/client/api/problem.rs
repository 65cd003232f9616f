//! Problem documents (RFC 9457) of the broker.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::exit::Exit;

/// Why the broker rejected a request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status code.
    pub status: u16,
    /// The stable code of the problem type.
    pub code: String,
    /// The summary, the same for every problem of this type.
    pub title: String,
    /// The explanation of this occurrence.
    pub detail: String,
    /// The id to quote in a support request.
    pub request_id: String,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// The upload that conflicts with the request, or has the wrong status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<Uuid>,
    /// The status of that upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_status: Option<String>,
    /// With `object-mismatch`: the properties that differ from the declared ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
    /// With `parts-missing`: ranges of part numbers, both ends inclusive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(u32, u32)>,
    /// Whether this is the answer to a retry. The first attempt may have succeeded although its
    /// response was lost.
    #[serde(skip)]
    pub repeated: bool,
}

/// One invalid field of a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FieldFault {
    /// A JSON pointer into the body, or `/` and the name of a parameter.
    pub pointer: String,
    /// What is wrong, and what is expected.
    pub detail: String,
}

/// One property of the object that differs from what was declared.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type` or `etag`.
    pub field: String,
    /// The declared value.
    pub expected: String,
    /// The value that the store reports.
    pub found: String,
}

impl Problem {
    /// The exit code of a command that fails with this problem.
    pub fn exit(&self) -> Exit {
        match (self.status, self.code.as_str()) {
            (_, "object-mismatch") => Exit::Mismatch,
            (_, "invalid-request" | "size-limit-exceeded" | "content-type-not-allowed") => {
                Exit::Refused
            }
            (401 | 403, _) => Exit::NotAllowed,
            (404, _) => Exit::NotFound,
            (409, _) => Exit::Conflict,
            (408 | 429 | 503, _) => Exit::Unavailable,
            (413 | 422, _) => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    /// Whether the problem says that the resource does not exist, or was deleted.
    pub fn is_gone(&self) -> bool {
        self.status == 404 || self.is_deleted()
    }

    /// Whether the problem says that the upload was deleted before.
    pub fn is_deleted(&self) -> bool {
        self.upload_status.as_deref() == Some("Deleted")
    }

    /// Advice that the broker itself cannot give, if there is any.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.code.as_str() {
            "unauthenticated" => {
                "set UPLOAD_BROKER_KEY to an API key of this broker (`upload-broker keys create` issues one), or put the key into the configuration file"
            }
            "insufficient-scope" => "use a key that has the required scope",
            "dataset-exists" => "choose another path, or use --overwrite",
            "dataset-not-found" => "`upload-broker ls` lists the existing datasets",
            "upload-not-found" => "the tenant of this key has no upload with that id or path",
            "dataset-drifted" => "use --force to delete the object that replaced it",
            "service-unavailable" | "overloaded" => {
                "no data is lost: run the same command again later"
            }
            "object-mismatch" => {
                "check whether the file changed during the upload, and upload it again"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [&self.detail, &self.title, &self.code];
        let said = said.into_iter().find(|text| !text.is_empty());
        f.write_str(said.map_or("refused", String::as_str))?;
        for fault in &self.errors {
            let field = fault.pointer.trim_start_matches('/');
            if !self.detail.contains(&fault.detail) {
                write!(f, "; {field}: {}", fault.detail)?;
            }
        }
        for mismatch in &self.mismatches {
            let Mismatch {
                field,
                expected,
                found,
            } = mismatch;
            if !(self.detail.contains(expected) && self.detail.contains(found)) {
                write!(f, "; {field}: expected {expected}, found {found}")?;
            }
        }
        write!(f, " ({}", self.code)?;
        if !self.request_id.is_empty() {
            write!(f, ", request {}", self.request_id)?;
        }
        f.write_str(")")
    }
}
