//! `POST /uploads/{id}/processing/retry`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::wire::{Job, example, example_upload};
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, ProcessingWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::UploadId;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::uploads::wire::Upload;
use crate::usecases::Broker;
use crate::usecases::jobs::retry;

/// Which jobs to queue again. All fields are optional.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryProcessing {
    /// The name of the processor; the failed jobs of all processors if it is left out.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,63}$", example = "default")]
    processor: Option<String>,
}

/// The upload and the jobs that are queued again.
#[derive(Serialize, ToSchema)]
pub struct Retried {
    /// The upload.
    pub upload: Upload,
    /// The jobs that are queued again.
    pub jobs: Vec<Job>,
}

const PATH: &str = "/uploads/{id}/processing/retry";

#[derive(OpenApi)]
#[openapi(paths(retry))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(retry),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
    ],
};

/// Queues the failed jobs of an upload again.
#[utoipa::path(post, path = PATH, operation_id = "retryProcessing", tag = "Processing",
    summary = "Queue failed jobs again",
    description = "Queues the failed jobs of the upload again, with all attempts. An upload in Error is Processing afterwards.",
    security(("bearer" = ["processing:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    request_body(content = Option<RetryProcessing>, description = "May be omitted", example = json!({"processor": "default"})),
    responses((status = 200, description = "The upload, and the jobs that are queued again", body = Retried, example = json!(example_response()))))]
pub async fn retry(
    caller: Caller<ProcessingWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    body: OptionalJson<RetryProcessing>,
) -> Result<HttpResponse, Problem> {
    let (upload, jobs) = retry::retry(&broker, &caller, id.0, body.0.processor).await?;
    let details = ActionDetails::on_upload(Action::JobsRetried, &upload);
    let retried = Retried {
        upload: upload.into(),
        jobs: jobs.into_iter().map(Into::into).collect(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(retried)
        .audited(details))
}

fn example_response() -> Value {
    let mut job = example();
    if let Some(job) = job.as_object_mut() {
        job.insert("status".to_owned(), json!("Queued"));
        job.insert("attempt".to_owned(), json!(0));
        for name in ["progress", "message", "lease_expires_at"] {
            job.insert(name.to_owned(), Value::Null);
        }
    }
    json!({"upload": example_upload(), "jobs": [job]})
}
