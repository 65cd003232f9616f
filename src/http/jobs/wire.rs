//! The JSON of a job.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain;
use crate::http::openapi::{examples, schemas};
use crate::http::uploads::wire::Upload;
use crate::http::wire::Time;

/// A job: the work of one processor on one upload.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = example)]
pub struct Job {
    /// The id, a UUIDv7.
    pub id: Uuid,
    /// The id of the upload.
    pub upload_id: Uuid,
    /// The name of the processor.
    pub processor: String,
    /// The status.
    #[schema(schema_with = schemas::job_status)]
    pub status: &'static str,
    /// How often the job was started.
    pub attempt: u32,
    /// The fraction that is done, from 0 to 1, as the worker reported it.
    #[schema(required = true)]
    pub progress: Option<f64>,
    /// What the worker reported last, or why the job failed.
    #[schema(required = true)]
    pub message: Option<String>,
    /// The options of the rule that queued the job.
    #[schema(value_type = Object, additional_properties)]
    pub options: Value,
    /// The token of the lease. Only its holder sees it.
    #[schema(required = true)]
    pub lease: Option<Uuid>,
    /// When the lease ends, unless it is renewed; null if the job does not run.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub lease_expires_at: Option<Time>,
    /// The datasets that the job has written.
    pub outputs: Vec<Output>,
    /// What the processor found, such as the number of rows; null before the job has ended.
    #[schema(value_type = Option<Object>, additional_properties, required = true)]
    pub report: Option<Value>,
    /// When the job was queued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When the last attempt started.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub started_at: Option<Time>,
    /// When the job ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub ended_at: Option<Time>,
}

/// A dataset that a job has written.
#[derive(Clone, Serialize, ToSchema)]
pub struct Output {
    /// What it is.
    #[schema(example = "text")]
    pub kind: String,
    /// The path of the dataset.
    #[schema(example = "/derived/employees.txt")]
    pub path: String,
    /// The size in bytes when the job ended.
    pub size: u64,
    /// The ETag when the job ended.
    pub etag: String,
}

/// A job and its upload.
#[derive(Serialize, ToSchema)]
pub struct JobOfUpload {
    /// The upload.
    pub upload: Upload,
    /// The job.
    pub job: Job,
}

impl Job {
    /// A job for its worker, with the token of the lease.
    pub fn for_holder(job: domain::job::Job) -> Self {
        let lease = job.lease().map(|lease| lease.token);
        Self {
            lease,
            ..Self::from(job)
        }
    }
}

impl From<domain::job::Job> for Job {
    fn from(job: domain::job::Job) -> Self {
        Self {
            id: job.id,
            upload_id: job.upload_id,
            status: job.status.as_str(),
            attempt: job.attempts,
            progress: job.progress,
            lease: None,
            lease_expires_at: job.leased_until.map(Into::into),
            outputs: job.outputs.into_iter().map(Into::into).collect(),
            created_at: job.created_at.into(),
            started_at: job.started_at.map(Into::into),
            ended_at: job.ended_at.map(Into::into),
            processor: job.processor,
            message: job.message,
            options: job.options,
            report: job.report,
        }
    }
}

impl From<domain::job::JobOutput> for Output {
    fn from(output: domain::job::JobOutput) -> Self {
        Self {
            kind: output.kind,
            path: output.path,
            size: output.size,
            etag: output.etag,
        }
    }
}

/// The example of a running job, as others than its worker see it.
pub fn example() -> Value {
    json!({
        "id": "01955114-5a10-7f00-8a11-3f1d2c9b7a01",
        "upload_id": examples::ID,
        "processor": "default",
        "status": "Running",
        "attempt": 1,
        "progress": 0.4,
        "message": "4 of 10 pages",
        "options": {},
        "lease": null,
        "lease_expires_at": "2025-03-01T10:05:08.000Z",
        "outputs": [],
        "report": null,
        "created_at": "2025-03-01T10:00:07.123Z",
        "started_at": "2025-03-01T10:00:08.000Z",
        "ended_at": null,
    })
}

/// The example of a running job, as its worker sees it.
pub fn example_for_holder() -> Value {
    let mut job = example();
    if let Some(job) = job.as_object_mut() {
        let lease = "5f0c9f0e-5f0a-4b39-9b3d-0f3f6c1f2a55";
        job.insert("lease".to_owned(), json!(lease));
    }
    job
}

/// The example of an upload that is being processed.
pub fn example_upload() -> Value {
    let mut upload = examples::uploaded();
    if let Some(upload) = upload.as_object_mut() {
        upload.insert("status".to_owned(), json!("Processing"));
        upload.insert("updated_at".to_owned(), json!("2025-03-01T10:00:08.000Z"));
    }
    upload
}
