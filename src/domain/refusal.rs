//! Refusals: what a caller did wrong, in public words.
//!
//! A refusal is a decision of the rules, not a fault. Nothing in it may name an SQL text, an AWS
//! error body, a host or a secret.

use serde::Serialize;
use uuid::Uuid;

use super::audit::sanitize;
use super::mismatch::Mismatch;
use super::path::InvalidPath;
use super::quota::Exceeded;
use super::status::{Status, Transition};

/// The code of a problem: `/problems/{code}` explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field, parameter or header is not as it must be.
    InvalidRequest,
    /// The declared size is over the limit.
    SizeLimitExceeded,
    /// The content type is not on the list.
    ContentTypeNotAllowed,
    /// An acknowledged dataset, or a foreign object, stands at the path.
    DatasetExists,
    /// Nothing stands at the path, or not yet this upload's bytes.
    ObjectMissing,
    /// Not all parts have come yet.
    PartsMissing,
    /// What came is not what was declared.
    ObjectMismatch,
    /// The upload is in a state that does not allow this.
    InvalidStatus,
    /// The object is no longer the proven one.
    DatasetDrifted,
    /// No such upload for this tenant.
    UploadNotFound,
    /// No such dataset for this tenant.
    DatasetNotFound,
    /// The same key came with another request.
    IdempotencyKeyReused,
    /// The tenant has no room for it.
    QuotaExceeded,
    /// The path lies outside of the folder that the credential is confined to.
    OutsidePrefix,
    /// The upload token has no uploads or bytes left.
    TokenSpent,
    /// The upload token that is asked for would allow more than who asks may.
    TokenTooWide,
}

impl Code {
    /// The name, as it stands in problems, rows and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::SizeLimitExceeded => "size-limit-exceeded",
            Self::ContentTypeNotAllowed => "content-type-not-allowed",
            Self::DatasetExists => "dataset-exists",
            Self::ObjectMissing => "object-missing",
            Self::PartsMissing => "parts-missing",
            Self::ObjectMismatch => "object-mismatch",
            Self::InvalidStatus => "invalid-status",
            Self::DatasetDrifted => "dataset-drifted",
            Self::UploadNotFound => "upload-not-found",
            Self::DatasetNotFound => "dataset-not-found",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::QuotaExceeded => "quota-exceeded",
            Self::OutsidePrefix => "outside-prefix",
            Self::TokenSpent => "token-spent",
            Self::TokenTooWide => "token-too-wide",
        }
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// An RFC 6901 pointer into the body, or `/` and the name of a parameter.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
    /// The path at fault, where it leads out of what is its tenant's: for the audit.
    #[serde(skip)]
    pub path: Option<String>,
}

impl FieldError {
    /// `pointer` names the field; `detail` says what is wrong.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
            path: None,
        }
    }
}

/// What a caller did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of it.
    pub code: Code,
    /// This occurrence, for people.
    pub detail: String,
    /// Field by field, where fields are at fault.
    pub errors: Vec<FieldError>,
    /// The upload that stands in the way, or is in the wrong state.
    pub upload_id: Option<Uuid>,
    /// Its state.
    pub status: Option<Status>,
    /// Expected and found, for an `object-mismatch`.
    pub mismatches: Vec<Mismatch>,
    /// For `parts-missing`: the parts that are not there, as ranges with both ends.
    pub missing: Box<[(u32, u32)]>,
    /// For `quota-exceeded`: which, and by what.
    pub exceeded: Option<Box<Exceeded>>,
    /// Whether a path reached for what is not its tenant's: for the audit, not for the caller.
    pub is_escape_attempt: bool,
}

impl Refusal {
    /// A refusal with nothing but words.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            upload_id: None,
            status: None,
            mismatches: Vec::new(),
            missing: Box::default(),
            exceeded: None,
            is_escape_attempt: false,
        }
    }

    /// A request with faults in it. `errors` must not be empty.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = in_words(&errors);
        Self {
            errors,
            ..Self::new(Code::InvalidRequest, detail)
        }
    }

    /// The same refusal of a part of the body: its pointers begin with `prefix`.
    pub fn under_pointer(mut self, prefix: &str) -> Self {
        let told = in_words(&self.errors);
        for error in &mut self.errors {
            error.pointer.insert_str(0, prefix);
        }
        if self.detail == told {
            self.detail = in_words(&self.errors);
        }
        self
    }

    /// The same refusal of a request that has the field at `pointer` under another name.
    pub fn with_pointer_renamed(mut self, pointer: &str, name: &str) -> Self {
        let words = in_words(&self.errors);
        for error in &mut self.errors {
            if error.pointer == pointer {
                name.clone_into(&mut error.pointer);
            }
        }
        if self.detail == words {
            self.detail = in_words(&self.errors);
        }
        self
    }

    /// A request with one fault in it.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, detail)])
    }

    /// A path that is none, or none of this tenant's: `input`, at `pointer`.
    pub fn path(pointer: &str, reason: InvalidPath, input: &str) -> Self {
        Self::field(pointer, reason.to_string()).with_rejected_path(reason, input)
    }

    /// The same refusal of the path `input`, which is at fault for `reason`.
    pub fn with_rejected_path(mut self, reason: InvalidPath, input: &str) -> Self {
        self.is_escape_attempt = reason.is_escape_attempt();
        if self.is_escape_attempt {
            for error in &mut self.errors {
                error.path = (error.pointer == "/path").then(|| sanitize(input));
            }
        }
        self
    }

    /// The tenant has no room for one more upload.
    pub fn over_quota(exceeded: Exceeded) -> Self {
        let Exceeded {
            quota,
            limit,
            in_use,
            asked,
        } = exceeded;
        let (what, remedy) = match quota {
            "bytes" => ("bytes", "Delete datasets"),
            _ => ("open uploads", "Acknowledge or cancel open uploads"),
        };
        Self {
            exceeded: Some(Box::new(exceeded)),
            ..Self::new(
                Code::QuotaExceeded,
                format!(
                    "The quota is {limit} {what}, {in_use} are in use, and this needs {asked} more. {remedy}, or ask for a larger quota."
                ),
            )
        }
    }

    /// No such upload for this tenant.
    pub fn no_upload(id: Uuid) -> Self {
        Self::new(Code::UploadNotFound, format!("There is no upload {id}."))
    }

    /// The upload is in a state from which `wanted` does not lead.
    pub fn wrong_status(id: Uuid, status: Status, wanted: Transition) -> Self {
        let from = wanted
            .from()
            .iter()
            .map(|status| status.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        Self {
            upload_id: Some(id),
            status: Some(status),
            ..Self::new(
                Code::InvalidStatus,
                format!("The upload is {status}; this needs one of: {from}."),
            )
        }
    }
}

fn in_words(errors: &[FieldError]) -> String {
    let words: Vec<_> = (errors.iter())
        .map(|error| format!("{}: {}", error.pointer, error.detail))
        .collect();
    words.join("; ")
}
