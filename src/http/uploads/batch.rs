//! `POST /uploads/batch`, and what batches answer.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::create::{CreateUpload, granted};
use super::wire::Upload;
use crate::domain::audit::Deed;
use crate::domain::refusal::Code;
use crate::http::extract::base::Base;
use crate::http::extract::batch::{Batch, Entry};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::long_array::LongArray;
use crate::http::middleware::{failure, witness};
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::body::Body;
use crate::http::problem::catalogue::Kind::Refused;
use crate::telemetry::log::request_id;
use crate::usecases::Broker;
use crate::usecases::uploads::create::batch::{self, create_many};
use crate::usecases::uploads::create::once::Created;

/// Sessions that are asked for together.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only its schema is of use: entries are read one by one"
)]
pub struct CreateUploads {
    /// Bodies as of `POST /uploads`.
    #[schema(min_items = 1, max_items = 1000)]
    uploads: Vec<CreateUpload>,
}

impl Entry for CreateUpload {
    const MEMBER: &'static str = "uploads";
    const MAX_ENTRIES: usize = batch::MOST;
}

/// What became of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchResults {
    /// One for each entry, in their order.
    results: Vec<BatchResult>,
}

/// What became of an entry.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchResult {
    /// It was done.
    Made(Box<Made>),
    /// It was not.
    Refused(Box<NotMade>),
}

/// An entry that was done.
#[derive(Serialize, ToSchema)]
pub struct Made {
    /// 201 where a session was made; 200 where an earlier request with this `Idempotency-Key` made
    /// it, and where an upload is acknowledged.
    #[schema(example = 201)]
    status: u16,
    /// The session.
    upload: Upload,
}

/// An entry that was not done.
#[derive(Serialize, ToSchema)]
pub struct NotMade {
    /// The status that a request for this entry alone would have been answered with.
    #[schema(example = 409)]
    status: u16,
    /// Why.
    problem: Body,
    /// What the audit is told of it.
    #[serde(skip)]
    #[schema(ignore)]
    deed: Option<Deed>,
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

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "createUploads", tag = "Uploads",
    summary = "Create many upload sessions",
    description = "Up to 1,000 sessions in one request and one round trip to the database. The results are in the order of the entries; one that is refused does not spoil the others. The body may have 4 MiB (`BROKER_MAX_BATCH_BODY_BYTES`).",
    security(("bearer" = ["uploads:write"])),
    request_body(content = CreateUploads, example = json!(example_request())),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. The same key with the same batch within 24 hours, or later while one of its sessions is Pending, makes no session anew: those that were made come back with fresh URLs while they are Pending, entries that were refused are tried again.")),
    responses((status = 200, description = "What became of each entry",
        body = BatchResults, example = json!(example_response()))))]
pub async fn batch(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    base: Base,
    key: IdempotencyKey,
    batch: Batch<CreateUpload>,
) -> Result<HttpResponse, Problem> {
    let (asked, unread) = batch.split();
    let asked = asked.into_iter().map(|body| body.map(Into::into)).collect();
    let made = create_many(&broker, &caller, asked, key.0.as_deref()).await?;
    let mut unread = unread.into_iter();
    // Problems are told now, while the request's id is at hand; what was made is written as it is
    // sent: a thousand sessions may have a hundred URLs each.
    let made: Vec<Result<Created, BatchResult>> = (made.into_iter().enumerate())
        .map(|(place, made)| {
            let made = match made {
                Some(made) => {
                    made.map_err(|error| Problem::from(error).within(&format!("/uploads/{place}")))
                }
                None => Err(next_of(&mut unread)),
            };
            made.map_err(|problem| BatchResult::refused(&problem, PATH))
        })
        .collect();
    let deeds = (made.iter())
        .filter_map(|made| match made {
            Ok(Created::New(session)) => granted(session, true),
            Ok(Created::Before(session)) => granted(session, false),
            Err(refused) => refused.deed(),
        })
        .collect();
    let results = made.into_iter();
    let results = results.map(move |made| match made {
        Ok(made) => BatchResult::created(made, &base),
        Err(refused) => refused,
    });
    Ok(respond(results, deeds))
}

/// The problem of the next entry that cannot be read.
pub(super) fn next_of(unread: &mut impl Iterator<Item = Problem>) -> Problem {
    unread
        .next()
        .unwrap_or_else(|| Problem::internal("the problem of an entry is missing"))
}

/// The answer, each result written as it is sent.
pub(super) fn respond(
    results: impl Iterator<Item = BatchResult> + 'static,
    deeds: Vec<Deed>,
) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .streaming(stream::iter(LongArray::new("results", results.map(Ok))))
        .noted_all(deeds)
}

impl BatchResult {
    fn created(made: Created, base: &Base) -> Self {
        let (status, session) = match made {
            Created::New(session) => (StatusCode::CREATED, session),
            Created::Before(session) => (StatusCode::OK, session),
        };
        Self::done(status, Upload::of(session, base))
    }

    /// An entry that was done.
    pub(super) fn done(status: StatusCode, upload: Upload) -> Self {
        Self::Made(Box::new(Made {
            status: status.as_u16(),
            upload,
        }))
    }

    /// An entry that was not done, of the batch at `path`. The cause is logged.
    pub(super) fn refused(problem: &Problem, path: &str) -> Self {
        failure::report(problem);
        let deed = witness::refused(problem);
        let problem = problem.body(path, &request_id().unwrap_or_default());
        Self::Refused(Box::new(NotMade {
            status: problem.status,
            problem,
            deed,
        }))
    }

    /// The audit entry of a refused one, where there is any.
    pub(super) fn deed(&self) -> Option<Deed> {
        match self {
            Self::Refused(refused) => refused.deed.clone(),
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
        "detail": "A dataset stands at /data/taken.csv. Set overwrite to replace it, or if_match to replace exactly one version.",
        "instance": "/uploads/batch",
        "code": "dataset-exists",
        "request_id": examples::REQUEST_ID,
    });
    json!({"results": [
        {"status": 201, "upload": examples::upload()},
        {"status": 409, "problem": problem},
    ]})
}
