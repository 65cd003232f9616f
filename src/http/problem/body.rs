//! The JSON of a problem.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::catalogue::Kind;
use crate::domain::refusal::Refusal;

/// A problem (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// Where this kind of problem is explained.
    #[serde(rename = "type")]
    #[schema(example = "/problems/object-missing")]
    pub kind: String,
    /// The same for every occurrence.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// This occurrence, for people.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// The stable name of the kind, for programs.
    #[schema(example = "object-missing")]
    pub code: String,
    /// The `x-request-id` of the answer: quote it when you ask for help.
    pub request_id: String,
    /// Field by field, where fields are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldFault>,
    /// The upload that stands in the way, or is in the wrong state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub upload_id: Option<Uuid>,
    /// Its state (`status` is the HTTP status).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Pending")]
    pub upload_status: Option<String>,
    /// With `object-mismatch`: everything that is not as declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub mismatches: Vec<Mismatch>,
    /// With `parts-missing`: the parts that are not there, as ranges with both ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!([[3, 7], [9, 9]]))]
    pub missing: Vec<(u32, u32)>,
    /// With `quota-exceeded`: which quota, and by what.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quota: Option<QuotaFault>,
}

/// A quota that does not suffice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuotaFault {
    /// `bytes` or `open-uploads`.
    #[schema(example = "bytes")]
    pub name: String,
    /// What the tenant may take.
    #[schema(example = 1_000_000_000)]
    pub limit: u64,
    /// What it takes.
    #[schema(example = 999_000_000)]
    pub in_use: u64,
    /// What was asked for beside that.
    #[schema(example = 2_000_000)]
    pub asked: u64,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldFault {
    /// A JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter.
    #[schema(example = "/size")]
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// One thing that is not as declared.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type`, `etag` or `encryption`.
    #[schema(example = "size")]
    pub field: String,
    /// What was declared.
    #[schema(example = "18 bytes")]
    pub expected: String,
    /// What the store says.
    #[schema(example = "17 bytes")]
    pub found: String,
}

impl Body {
    /// The members that every problem has.
    pub fn new(kind: Kind, detail: &str, instance: &str, request_id: &str) -> Self {
        let entry = kind.entry();
        Self {
            kind: format!("/problems/{}", entry.code),
            title: entry.title.to_owned(),
            status: entry.status.as_u16(),
            detail: detail.to_owned(),
            instance: instance.to_owned(),
            code: entry.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: Vec::new(),
            upload_id: None,
            upload_status: None,
            mismatches: Vec::new(),
            missing: Vec::new(),
            quota: None,
        }
    }

    /// Adds what the rules said.
    pub fn with(self, refusal: &Refusal) -> Self {
        let errors = refusal.errors.iter().map(|error| FieldFault {
            pointer: error.pointer.clone(),
            detail: error.detail.clone(),
        });
        let mismatches = refusal.mismatches.iter().map(|mismatch| Mismatch {
            field: mismatch.field.to_owned(),
            expected: mismatch.expected.clone(),
            found: mismatch.found.clone(),
        });
        Self {
            errors: errors.collect(),
            upload_id: refusal.upload_id,
            upload_status: refusal.status.map(|status| status.to_string()),
            mismatches: mismatches.collect(),
            missing: refusal.missing.to_vec(),
            quota: refusal.exceeded.as_ref().map(|exceeded| QuotaFault {
                name: exceeded.quota.to_owned(),
                limit: exceeded.limit,
                in_use: exceeded.in_use,
                asked: exceeded.asked,
            }),
            ..self
        }
    }
}
