//! Refusals: why a request is not allowed, in words for the client.
//!
//! A refusal follows from the rules; it is not a fault of the service. It must not contain SQL, an
//! error body of AWS, a host name or a secret.

use serde::Serialize;
use uuid::Uuid;

use super::audit::sanitize;
use super::job::PROCESSING_FAILED;
use super::mismatch::Mismatch;
use super::path::InvalidPath;
use super::quota::Exceeded;
use super::status::{Status, Transition};

/// The code of a problem, which `/problems/{code}` explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field, parameter or header is invalid.
    InvalidRequest,
    /// The declared size is over the limit.
    SizeLimitExceeded,
    /// The content type is not on the list of allowed ones.
    ContentTypeNotAllowed,
    /// There is an acknowledged dataset or a foreign object at the path.
    DatasetExists,
    /// There is no object at the path, or the bytes of this upload have not arrived yet.
    ObjectMissing,
    /// Some parts have not arrived yet.
    PartsMissing,
    /// The object does not match what was declared.
    ObjectMismatch,
    /// The status of the upload does not allow the operation.
    InvalidStatus,
    /// The object is no longer the proven one.
    DatasetDrifted,
    /// The tenant has no such upload.
    UploadNotFound,
    /// The tenant has no such dataset.
    DatasetNotFound,
    /// The idempotency key was used with another request.
    IdempotencyKeyReused,
    /// A quota of the tenant would be exceeded.
    QuotaExceeded,
    /// The path is outside the folder that the credential is confined to.
    OutsidePrefix,
    /// The upload token has no uploads or bytes left.
    TokenSpent,
    /// The requested upload token would allow more than the credential of the caller.
    TokenTooWide,
    /// Another worker has leased the job.
    JobClaimed,
    /// The job does not have the lease that the report names.
    LeaseLost,
    /// An output of a job does not exist.
    OutputMissing,
    /// No text was extracted from the upload.
    TextMissing,
    /// The tenant has as many live streams as it may have.
    TooManyStreams,
    /// A job has failed for good. It is the reason of an upload, never of an answer.
    ProcessingFailed,
}

impl Code {
    /// The name in problems, in the database and in metrics.
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
            Self::JobClaimed => "job-claimed",
            Self::LeaseLost => "lease-lost",
            Self::OutputMissing => "output-missing",
            Self::TextMissing => "text-missing",
            Self::TooManyStreams => "too-many-streams",
            Self::ProcessingFailed => PROCESSING_FAILED,
        }
    }
}

/// A fault in one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter.
    pub pointer: String,
    /// What is wrong, and what is expected.
    pub detail: String,
    /// The rejected path, for the audit. Set if the path tried to reach what does not belong to the
    /// caller.
    #[serde(skip)]
    pub path: Option<String>,
}

impl FieldError {
    /// An error at `pointer`, described by `detail`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
            path: None,
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of the problem.
    pub code: Code,
    /// An explanation of this occurrence for the client.
    pub detail: String,
    /// The faults by field, if fields are at fault.
    pub errors: Vec<FieldError>,
    /// The upload that blocks the request or is in the wrong state.
    pub upload_id: Option<Uuid>,
    /// The status of that upload.
    pub status: Option<Status>,
    /// For `object-mismatch`: the expected and the found values.
    pub mismatches: Vec<Mismatch>,
    /// For `parts-missing`: the missing parts, as inclusive ranges.
    pub missing: Box<[(u32, u32)]>,
    /// For `quota-exceeded`: the quota and the usage.
    pub exceeded: Option<Box<Exceeded>>,
    /// After how many seconds a repeated request may succeed, if that is known.
    pub retry_after: Option<u16>,
    /// Whether a path tried to reach what does not belong to the caller. This is for the audit and
    /// not sent to the client.
    pub is_escape_attempt: bool,
}

impl Refusal {
    /// A refusal with only a code and an explanation.
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
            retry_after: None,
            is_escape_attempt: false,
        }
    }

    /// A request with invalid fields. `errors` must not be empty.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = join_errors(&errors);
        Self {
            errors,
            ..Self::new(Code::InvalidRequest, detail)
        }
    }

    /// Prepends `prefix` to all pointers, for a refusal of an element inside the body.
    pub fn under_pointer(mut self, prefix: &str) -> Self {
        let before = join_errors(&self.errors);
        for error in &mut self.errors {
            error.pointer.insert_str(0, prefix);
        }
        if self.detail == before {
            self.detail = join_errors(&self.errors);
        }
        self
    }

    /// Replaces `pointer` by `name`, for a request in which the field has another name.
    pub fn with_pointer_renamed(mut self, pointer: &str, name: &str) -> Self {
        let before = join_errors(&self.errors);
        for error in &mut self.errors {
            if error.pointer == pointer {
                name.clone_into(&mut error.pointer);
            }
        }
        if self.detail == before {
            self.detail = join_errors(&self.errors);
        }
        self
    }

    /// A request with one invalid field.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, detail)])
    }

    /// An invalid path: `input`, at `pointer`.
    pub fn path(pointer: &str, reason: InvalidPath, input: &str) -> Self {
        Self::field(pointer, reason.to_string()).with_rejected_path(reason, input)
    }

    /// Records for the audit that the path `input` was rejected for `reason`.
    pub fn with_rejected_path(mut self, reason: InvalidPath, input: &str) -> Self {
        self.is_escape_attempt = reason.is_escape_attempt();
        if self.is_escape_attempt {
            for error in &mut self.errors {
                error.path = (error.pointer == "/path").then(|| sanitize(input));
            }
        }
        self
    }

    /// A quota of the tenant would be exceeded.
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

    /// The tenant has no such upload.
    pub fn no_upload(id: Uuid) -> Self {
        Self::new(Code::UploadNotFound, format!("There is no upload {id}."))
    }

    /// The status of the upload does not allow the transition `wanted`.
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
                format!("The upload is {status}; this operation requires one of: {from}."),
            )
        }
    }
}

fn join_errors(errors: &[FieldError]) -> String {
    let errors: Vec<_> = (errors.iter())
        .map(|error| format!("{}: {}", error.pointer, error.detail))
        .collect();
    errors.join("; ")
}
