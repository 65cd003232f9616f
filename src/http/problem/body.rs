//! The JSON of a problem.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::catalogue::Kind;
use crate::domain::refusal::Refusal;

/// The start of the paths of Uppy's routes.
const UPPY: &str = "/s3/";

/// A problem (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// A page that explains this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/object-missing")]
    pub kind: String,
    /// A summary that is the same for every occurrence of the problem.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// A description of this occurrence, for people.
    pub detail: String,
    /// The path of the request, without its query.
    pub instance: String,
    /// The stable name of the kind, for programs.
    #[schema(example = "object-missing")]
    pub code: String,
    /// The `x-request-id` of the response. Quote it when you ask for help.
    pub request_id: String,
    /// On the routes of Uppy: the same as `detail`, where its clients expect it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// On the routes of Uppy: the same as `title`, where its clients expect it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// Each invalid field or parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldFault>,
    /// The upload that blocks the request, or whose status does not allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub upload_id: Option<Uuid>,
    /// The status of that upload (`status` is the HTTP status).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Pending")]
    pub upload_status: Option<String>,
    /// With `object-mismatch`: each field in which the object differs from the declaration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub mismatches: Vec<Mismatch>,
    /// With `parts-missing`: the numbers of the missing parts, as ranges that include both ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!([[3, 7], [9, 9]]))]
    pub missing: Vec<(u32, u32)>,
    /// With `quota-exceeded`: the quota that would be exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quota: Option<QuotaFault>,
}

/// A quota that a request would exceed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuotaFault {
    /// `bytes` or `open-uploads`.
    #[schema(example = "bytes")]
    pub name: String,
    /// The limit of the tenant.
    #[schema(example = 1_000_000_000)]
    pub limit: u64,
    /// The amount that is in use.
    #[schema(example = 999_000_000)]
    pub in_use: u64,
    /// The amount that was requested in addition.
    #[schema(example = 2_000_000)]
    pub asked: u64,
}

/// One invalid value of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldFault {
    /// A JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter.
    #[schema(example = "/size")]
    pub pointer: String,
    /// What is wrong and what is expected.
    pub detail: String,
}

/// One field in which the object differs from the declaration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type`, `etag`, `encryption` or `parts`.
    #[schema(example = "size")]
    pub field: String,
    /// The declared value.
    #[schema(example = "18 bytes")]
    pub expected: String,
    /// The value that the store reports.
    #[schema(example = "17 bytes")]
    pub found: String,
}

impl Body {
    /// Creates a body with the members that every problem has.
    pub fn new(kind: Kind, detail: &str, instance: &str, request_id: &str) -> Self {
        let entry = kind.entry();
        let is_of_uppy = instance.starts_with(UPPY);
        Self {
            kind: format!("/problems/{}", entry.code),
            title: entry.title.to_owned(),
            status: entry.status.as_u16(),
            detail: detail.to_owned(),
            instance: instance.to_owned(),
            code: entry.code.to_owned(),
            request_id: request_id.to_owned(),
            message: is_of_uppy.then(|| detail.to_owned()),
            error: is_of_uppy.then(|| entry.title.to_owned()),
            errors: Vec::new(),
            upload_id: None,
            upload_status: None,
            mismatches: Vec::new(),
            missing: Vec::new(),
            quota: None,
        }
    }

    /// Adds the details of a refusal by a domain rule.
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
