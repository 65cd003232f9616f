//! `POST /jobs/claim`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::wire::{Job, example_for_holder, example_upload};
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, ProcessingWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::response_deadline::ResponseDeadline;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::uploads::wire::Upload;
use crate::lifecycle::Shutdown;
use crate::usecases::Broker;
use crate::usecases::jobs::DEFAULT_PROCESSOR;
use crate::usecases::jobs::claim::{self, ClaimRequest, ClaimedWithUrl};

/// The number of jobs if a request does not set a limit.
const DEFAULT_LIMIT: u16 = 10;

/// What to claim. All fields are optional.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimJobs {
    /// The name of the processor; `default` if it is left out.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,63}$", example = "default")]
    processor: Option<String>,
    /// The largest number of jobs; 10 by default.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// How long each lease lasts, in seconds; 300 by default.
    #[schema(minimum = 5, maximum = 3600)]
    lease_seconds: Option<u32>,
    /// How long to wait for a job if there is none, in seconds; 0 by default.
    #[schema(minimum = 0, maximum = 30)]
    wait_seconds: Option<u32>,
}

/// A claimed job.
#[derive(Serialize, ToSchema)]
pub struct ClaimedJob {
    /// The job, with the token of its lease.
    pub job: Job,
    /// The upload.
    pub upload: ClaimedUpload,
}

/// The upload of a claimed job.
#[derive(Serialize, ToSchema)]
pub struct ClaimedUpload {
    /// The upload.
    #[serde(flatten)]
    pub upload: Upload,
    /// A pre-signed GET URL of the dataset; of exactly the verified version, in a versioned bucket.
    /// In other buckets send `If-Match` with `object.etag`.
    #[schema(format = "uri")]
    pub download_url: String,
}

const PATH: &str = "/jobs/claim";

#[derive(OpenApi)]
#[openapi(paths(claim))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(claim),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest)],
};

/// Claims due jobs.
#[utoipa::path(post, path = PATH, operation_id = "claimJobs", tag = "Processing",
    summary = "Claim jobs",
    description = "For workers without a queue: leases the jobs of a processor that have waited longest, and waits for one if there is none. Renew each lease and report its end with `POST /uploads/{id}/processing`. A job whose lease ends without a report is queued again, and fails after five attempts.",
    security(("bearer" = ["processing:write"])),
    request_body(content = Option<ClaimJobs>, description = "May be omitted", example = json!(example_request())),
    responses((status = 200, description = "The claimed jobs; empty if there was none", body = Vec<ClaimedJob>, example = json!(example_response()))))]
pub async fn claim(
    caller: Caller<ProcessingWrite>,
    broker: web::Data<Broker>,
    shutdown: web::Data<Shutdown>,
    deadline: ResponseDeadline,
    body: OptionalJson<ClaimJobs>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let request = ClaimRequest {
        processor: body
            .processor
            .unwrap_or_else(|| DEFAULT_PROCESSOR.to_owned()),
        limit: body.limit.unwrap_or(DEFAULT_LIMIT),
        lease_seconds: body.lease_seconds,
        wait_seconds: body.wait_seconds.unwrap_or(0),
    };
    let stop = shutdown.token();
    let claimed = claim::claim(&broker, &caller, &request, deadline.0, &stop).await?;
    let details = (claimed.iter())
        .map(|claimed| {
            ActionDetails::on_upload(Action::JobClaimed, &claimed.upload)
                .expiring_at(claimed.download.expires_at)
        })
        .collect::<Vec<_>>();
    let jobs: Vec<ClaimedJob> = claimed.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(jobs)
        .audited_all(details))
}

impl From<ClaimedWithUrl> for ClaimedJob {
    fn from(claimed: ClaimedWithUrl) -> Self {
        Self {
            job: Job::for_holder(claimed.job),
            upload: ClaimedUpload {
                upload: claimed.upload.into(),
                download_url: claimed.download.url,
            },
        }
    }
}

fn example_request() -> Value {
    json!({"processor": "default", "limit": 10, "lease_seconds": 300, "wait_seconds": 20})
}

fn example_response() -> Value {
    let mut upload = example_upload();
    if let Some(upload) = upload.as_object_mut() {
        upload.insert("download_url".to_owned(), json!(examples::URL));
    }
    json!([{"job": example_for_holder(), "upload": upload}])
}
