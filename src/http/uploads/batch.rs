//! `POST /uploads/batch`, and the response of both batch endpoints.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::create::{CreateUpload, issued_urls};
use super::wire::Upload;
use crate::domain::audit::ActionDetails;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::batch::{Batch, Entry};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::long_array::LongArray;
use crate::http::middleware::{audit, failure};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::body::Body;
use crate::http::problem::catalogue::Kind::Refused;
use crate::telemetry::log::request_id;
use crate::usecases::Broker;
use crate::usecases::uploads::create::{self, Created};

/// A batch of upload sessions to create.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it is the schema only: entries are parsed one by one"
)]
pub struct CreateUploads {
    /// Each entry is a body of `POST /uploads`.
    #[schema(min_items = 1, max_items = 1000)]
    uploads: Vec<CreateUpload>,
}

impl Entry for CreateUpload {
    const MEMBER: &'static str = "uploads";
    const MAX_ENTRIES: usize = create::MAX_BATCH;
}

/// The results of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchResults {
    /// One result for each entry, in the order of the entries.
    results: Vec<BatchResult>,
}

/// The result of one entry.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchResult {
    /// The entry succeeded.
    Made(Box<Made>),
    /// The entry failed.
    Refused(Box<NotMade>),
}

/// The result of an entry that succeeded.
#[derive(Serialize, ToSchema)]
pub struct Made {
    /// 201 if the session was created; 200 if an earlier request with this `Idempotency-Key`
    /// created it, or if an upload was acknowledged.
    #[schema(example = 201)]
    status: u16,
    /// The upload session.
    upload: Upload,
}

/// The result of an entry that failed.
#[derive(Serialize, ToSchema)]
pub struct NotMade {
    /// The status that a request with this entry alone would have had.
    #[schema(example = 409)]
    status: u16,
    /// The reason.
    problem: Body,
    /// The audit record of the failure, if it is audited.
    #[serde(skip)]
    #[schema(ignore)]
    details: Option<ActionDetails>,
}

const PATH: &str = "/uploads/batch";

#[derive(OpenApi)]
#[openapi(paths(batch))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(batch),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::IdempotencyKeyReused),
    ],
};

/// Creates a batch of upload sessions.
#[utoipa::path(post, path = PATH, operation_id = "createUploads", tag = "Uploads",
    summary = "Create a batch of upload sessions",
    description = "Creates up to 1,000 sessions in one request and one round trip to the database. The results are in the order of the entries; a rejected entry does not affect the others. The body may have 4 MiB (`BROKER_MAX_BATCH_BODY_BYTES`).",
    security(("bearer" = ["uploads:write"])),
    request_body(content = CreateUploads, example = json!(example_request())),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. A repeated request with the same key and the same batch within 24 hours, or later while one of its sessions is Pending, creates no session twice: existing sessions are returned, with fresh URLs while they are Pending, and rejected entries are tried again.")),
    responses((status = 200, description = "The result of each entry",
        body = BatchResults, example = json!(example_response()))))]
pub async fn batch(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    base: BasePath,
    key: IdempotencyKey,
    batch: Batch<CreateUpload>,
) -> Result<HttpResponse, Problem> {
    let (entries, problems) = batch.split();
    let entries = entries.into_iter();
    let entries = entries.map(|body| body.map(Into::into)).collect();
    let made = create::create_batch(&broker, &caller, entries, key.0.as_deref()).await?;
    let mut problems = problems.into_iter();
    // Problems are made now, while the id of the request is available. Sessions are serialized
    // while the response is sent, because a thousand sessions may have a hundred URLs each.
    let made: Vec<Result<Created, BatchResult>> = (made.into_iter().enumerate())
        .map(|(index, made)| {
            let made = match made {
                Some(made) => {
                    made.map_err(|error| Problem::from(error).within(&format!("/uploads/{index}")))
                }
                None => Err(next_problem(&mut problems)),
            };
            made.map_err(|problem| BatchResult::refused(&problem, PATH))
        })
        .collect();
    let actions = (made.iter())
        .filter_map(|made| match made {
            Ok(Created::New(session)) => issued_urls(session, true),
            Ok(Created::Before(session)) => issued_urls(session, false),
            Err(refused) => refused.details(),
        })
        .collect();
    let results = made.into_iter();
    let results = results.map(move |made| match made {
        Ok(made) => BatchResult::created(made, &base),
        Err(refused) => refused,
    });
    Ok(respond(results, actions))
}

/// Takes the problem of the next entry that could not be parsed.
pub(super) fn next_problem(problems: &mut impl Iterator<Item = Problem>) -> Problem {
    problems
        .next()
        .unwrap_or_else(|| Problem::internal("the problem of an entry is missing"))
}

/// Builds the response. Each result is serialized when it is sent.
pub(super) fn respond(
    results: impl Iterator<Item = BatchResult> + 'static,
    actions: Vec<ActionDetails>,
) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .streaming(stream::iter(LongArray::new("results", results.map(Ok))))
        .audited_all(actions)
}

impl BatchResult {
    fn created(made: Created, base: &BasePath) -> Self {
        let (status, session) = match made {
            Created::New(session) => (StatusCode::CREATED, session),
            Created::Before(session) => (StatusCode::OK, session),
        };
        Self::done(status, Upload::of(session, base))
    }

    /// The result of an entry that succeeded.
    pub(super) fn done(status: StatusCode, upload: Upload) -> Self {
        Self::Made(Box::new(Made {
            status: status.as_u16(),
            upload,
        }))
    }

    /// The result of an entry that failed, in a batch sent to `path`. The cause is logged.
    pub(super) fn refused(problem: &Problem, path: &str) -> Self {
        failure::report(problem);
        let details = audit::rejection_record(problem);
        let problem = problem.body(path, &request_id().unwrap_or_default());
        Self::Refused(Box::new(NotMade {
            status: problem.status,
            problem,
            details,
        }))
    }

    /// The audit record of a failed entry, if it is audited.
    pub(super) fn details(&self) -> Option<ActionDetails> {
        match self {
            Self::Refused(refused) => refused.details.clone(),
            Self::Made(_) => None,
        }
    }
}

fn example_request() -> Value {
    json!({"uploads": [super::create::example_request(), {"path": "/data/taken.csv"}]})
}

fn example_response() -> Value {
    let problem = json!({
        "type": "/problems/dataset-exists",
        "title": Refused(Code::DatasetExists).entry().title,
        "status": 409,
        "detail": "A dataset already exists at /data/taken.csv. Set overwrite to replace it, or if_match to replace exactly one version.",
        "instance": "/uploads/batch",
        "code": "dataset-exists",
        "request_id": examples::REQUEST_ID,
    });
    json!({"results": [
        {"status": 201, "upload": examples::upload()},
        {"status": 409, "problem": problem},
    ]})
}
