//! Problems (RFC 9457), as the broker tells them.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::exit::Exit;

/// Why the broker refused.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the kind.
    pub code: String,
    /// The same for every occurrence.
    pub title: String,
    /// This occurrence.
    pub detail: String,
    /// What to quote when asking for help.
    pub request_id: String,
    /// Field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// The upload that stands in the way, or is in the wrong state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<Uuid>,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_status: Option<String>,
    /// With `object-mismatch`: what is not as declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
    /// With `parts-missing`: ranges of part numbers, both ends included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(u32, u32)>,
    /// Whether an earlier try of the same request may have been carried out, its answer lost.
    #[serde(skip)]
    pub repeated: bool,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FieldFault {
    /// A JSON pointer into the body, or `/` and the name of a parameter.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// One thing that is not as declared.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type` or `etag`.
    pub field: String,
    /// What was declared.
    pub expected: String,
    /// What the store says.
    pub found: String,
}

impl Problem {
    /// How a command ends with it.
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

    /// Whether it says that nothing is there, or nothing any more.
    pub fn is_gone(&self) -> bool {
        self.status == 404 || self.upload_status.as_deref() == Some("Deleted")
    }

    /// What to do next, where there is something that the broker does not say itself.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.code.as_str() {
            "unauthenticated" => {
                "set UPLOAD_BROKER_KEY to a key of this broker (`upload-broker keys create` makes one), or write it to the configuration file"
            }
            "insufficient-scope" => "ask for a key that has the scope",
            "dataset-exists" => "take another path, or give --overwrite",
            "dataset-not-found" => "`upload-broker ls` shows what is there",
            "upload-not-found" => {
                "no upload of this key's tenant has the id, or was made for the path"
            }
            "dataset-drifted" => "give --force to delete what stands there now as well",
            "service-unavailable" | "overloaded" => "nothing is lost: do the same again later",
            "object-mismatch" => "see whether the file changed meanwhile, and upload it again",
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
