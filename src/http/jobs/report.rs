//! `POST /uploads/{id}/processing`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::wire::{Job, JobOfUpload, example_for_holder, example_upload};
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::job_report::Reported;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, ProcessingWrite};
use crate::http::extract::json::Json;
use crate::http::extract::path::UploadId;
use crate::http::openapi::schemas;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::jobs::DEFAULT_PROCESSOR;
use crate::usecases::jobs::report::{self, NewOutput, Report};

/// A report of a worker.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportProcessing {
    /// The name of the processor; `default` if it is left out.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,63}$", example = "default")]
    processor: Option<String>,
    /// What is reported.
    #[schema(schema_with = schemas::reported)]
    status: String,
    /// The token of the lease, from the answer to the claim.
    lease: Option<Uuid>,
    /// How long the lease lasts from now, in seconds; 300 by default.
    #[schema(minimum = 5, maximum = 3600)]
    lease_seconds: Option<u32>,
    /// The fraction that is done.
    #[schema(minimum = 0, maximum = 1)]
    progress: Option<f64>,
    /// A message for people: what is being done, or why it failed.
    message: Option<String>,
    /// The datasets that were written, with the status `Processed`.
    outputs: Option<Vec<ReportedOutput>>,
}

/// A dataset that a worker has written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedOutput {
    /// What it is.
    #[schema(example = "text", min_length = 1, max_length = 64)]
    kind: String,
    /// The path of the dataset.
    #[schema(example = "/derived/employees.txt")]
    path: String,
}

const PATH: &str = "/uploads/{id}/processing";

#[derive(OpenApi)]
#[openapi(paths(report))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(report),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::JobClaimed),
        Refused(Code::LeaseLost),
        Refused(Code::OutputMissing),
    ],
};

/// Claims a job, renews its lease, ends it, or gives it back.
#[utoipa::path(post, path = PATH, operation_id = "reportProcessing", tag = "Processing",
    summary = "Report on the processing of an upload",
    description = "`Processing` without a lease claims the job of this processor, which is created if there is none; with the lease it renews it. `Processed` and `Error` end the job. `Queued` gives it back. A system that never claims may report `Processed` or `Error` at once while no worker holds a lease. The status of the upload follows its jobs.",
    security(("bearer" = ["processing:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    request_body(content = ReportProcessing, example = json!(example_request())),
    responses((status = 200, description = "The upload and the job", body = JobOfUpload, example = json!(example_response()))))]
pub async fn report(
    caller: Caller<ProcessingWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    body: Json<ReportProcessing>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let reported: Reported = body.status.parse().map_err(|_| {
        let all = Reported::ALL.map(Reported::as_str).join(", ");
        Problem::field("/status", format!("must be one of {all}"))
    })?;
    let outputs = body.outputs.unwrap_or_default();
    let new = Report {
        processor: body
            .processor
            .unwrap_or_else(|| DEFAULT_PROCESSOR.to_owned()),
        reported,
        lease: body.lease,
        lease_seconds: body.lease_seconds,
        progress: body.progress,
        message: body.message,
        outputs: outputs.into_iter().map(Into::into).collect(),
    };
    let reports = report::report(&broker, &caller, id.0, new).await?;
    let details = ActionDetails::on_upload(Action::JobReported, &reports.upload);
    let job = match reports.holds_lease {
        true => Job::for_holder(reports.job),
        false => Job::from(reports.job),
    };
    let upload = reports.upload.into();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(JobOfUpload { upload, job })
        .audited(details))
}

impl From<ReportedOutput> for NewOutput {
    fn from(output: ReportedOutput) -> Self {
        Self {
            kind: output.kind,
            path: output.path,
        }
    }
}

fn example_request() -> Value {
    json!({"processor": "default", "status": "Processing", "progress": 0.4, "message": "4 of 10 pages"})
}

fn example_response() -> Value {
    json!({"upload": example_upload(), "job": example_for_holder()})
}
