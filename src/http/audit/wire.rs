//! The JSON of an audit row.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::audit::Record;
use crate::http::openapi::schemas;
use crate::http::wire::Time;

/// A row of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditRow {
    /// The id, a UUIDv7.
    pub id: Uuid,
    /// When the action happened. If the row stands for several equal actions, the time of the
    /// first.
    #[schema(value_type = String, format = DateTime)]
    pub time: Time,
    /// The action.
    #[schema(schema_with = schemas::action)]
    pub action: String,
    /// The caller: `key:` and the id of an API key; `token:` and the fingerprint of an upload
    /// token; `jwt:` and the subject of a JWT, or its fingerprint; `operator` for the command line;
    /// `anyone` if authentication is off; `anonymous` without a valid credential.
    #[schema(example = "key:01955113-8d20-7f0a-b6a7-0a4f3f1f9b51")]
    pub actor: String,
    /// The tenant whose data the action concerned; null if the caller is not known.
    #[schema(required = true, example = "default")]
    pub tenant: Option<String>,
    /// The address of the client; null if the action was not a request.
    #[schema(required = true, example = "192.0.2.7")]
    pub address: Option<String>,
    /// The `x-request-id` of the response.
    #[schema(required = true)]
    pub request_id: Option<String>,
    /// The requested operation, if it was rejected or its outcome is not known.
    #[schema(required = true, example = "POST /uploads")]
    pub operation: Option<String>,
    /// The id of the upload.
    #[schema(required = true)]
    pub upload_id: Option<Uuid>,
    /// The API key, upload token or tenant that was changed; of a copy, the path of its source.
    #[schema(required = true)]
    pub subject: Option<String>,
    /// The path of the dataset; of a rejected request, the path that it named.
    #[schema(required = true, example = "/data/employees.csv")]
    pub path: Option<String>,
    /// When the issued URLs, or the created key or token, expire.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub expires_at: Option<Time>,
    /// The `code` of the problem in the response.
    #[schema(required = true)]
    pub code: Option<String>,
    /// The number of actions that the row stands for: equal rejected requests are one row, and so
    /// are lost rows.
    #[schema(minimum = 1)]
    pub count: i32,
}

impl From<Record> for AuditRow {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            time: record.at.into(),
            action: record.action,
            actor: record.actor,
            tenant: record.tenant,
            address: record.address,
            request_id: record.request_id,
            operation: record.operation,
            upload_id: record.upload_id,
            subject: record.subject,
            path: record.path,
            expires_at: record.expires_at.map(Into::into),
            code: record.code,
            count: record.count,
        }
    }
}
