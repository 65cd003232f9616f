//! A row of the audit as JSON.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::audit::Record;
use crate::http::openapi::schemas;
use crate::http::wire::Time;

/// A row of the audit: who did what.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditRow {
    /// UUIDv7.
    pub id: Uuid,
    /// When; of repetitions, the first.
    #[schema(value_type = String, format = DateTime)]
    pub time: Time,
    /// What was done.
    #[schema(schema_with = schemas::action)]
    pub action: String,
    /// Who did it: `key:` and the id of an API key; `token:` and the fingerprint of an upload token;
    /// `jwt:` and the subject of a JWT, or its fingerprint; `operator` on the command line;
    /// `anyone` where authentication is off; `anonymous` without a credential that counts.
    #[schema(example = "key:01955113-8d20-7f0a-b6a7-0a4f3f1f9b51")]
    pub actor: String,
    /// The tenant whose data it was about; null where nobody knows who asked.
    #[schema(required = true, example = "default")]
    pub tenant: Option<String>,
    /// The address of the client; null where no request was made.
    #[schema(required = true, example = "192.0.2.7")]
    pub address: Option<String>,
    /// The `x-request-id` of the answer.
    #[schema(required = true)]
    pub request_id: Option<String>,
    /// What was asked for, where that was refused, or is not known to have been done.
    #[schema(required = true, example = "POST /uploads")]
    pub operation: Option<String>,
    /// The upload.
    #[schema(required = true)]
    pub upload_id: Option<Uuid>,
    /// The key, the upload token or the tenant.
    #[schema(required = true)]
    pub subject: Option<String>,
    /// The path of the dataset; of a refusal, what was reached for.
    #[schema(required = true, example = "/data/employees.csv")]
    pub path: Option<String>,
    /// When the URLs that were handed out end, or the key that was made.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub expires_at: Option<Time>,
    /// The `code` of the problem that was answered.
    #[schema(required = true)]
    pub code: Option<String>,
    /// How often: refusals that are the same are one row, and so are rows that were lost.
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
