//! `POST /uploads/batch/acknowledge`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::acknowledge::AcknowledgeOne;
use super::batch::{BatchResult, BatchResults, next_of, respond};
use super::wire::Upload;
use crate::domain::audit::{Action, Deed};
use crate::domain::refusal::Code;
use crate::http::extract::answer_by::AnswerBy;
use crate::http::extract::batch::{Batch, Entry};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge_batch::{self, Outcome, acknowledge_many};

/// Uploads that are acknowledged together.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only its schema is of use: entries are read one by one"
)]
pub struct AcknowledgeUploads {
    /// Each with the id of an upload and a body as of `POST /uploads/{id}/acknowledge`.
    #[schema(min_items = 1, max_items = 1000)]
    acknowledge: Vec<AcknowledgeOne>,
}

impl Entry for AcknowledgeOne {
    const MEMBER: &'static str = "acknowledge";
    const MAX_ENTRIES: usize = acknowledge_batch::MOST;
}

/// The second upload of the examples.
const OTHER_EXAMPLE_ID: &str = "01955114-3a41-7d52-b0a4-2c6f1d8e9b05";

const PATH: &str = "/uploads/batch/acknowledge";

#[derive(OpenApi)]
#[openapi(paths(acknowledge))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(acknowledge),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest)],
};

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeUploads", tag = "Uploads",
    summary = "Acknowledge many uploads",
    description = "Up to 1,000 uploads in one request. Each is proven as by `POST /uploads/{id}/acknowledge`; the results are in the order of the entries, and one that is refused does not spoil the others. Entries that were not tried, because S3 or Postgres failed for those before them or the time of a request was over, have a problem of status 503: send those again. Where that is so of every upload, the whole answer is a 503. The same upload may be in a batch twice. The body may have 4 MiB (`BROKER_MAX_BATCH_BODY_BYTES`).",
    security(("bearer" = ["uploads:write"])),
    request_body(content = AcknowledgeUploads, example = json!(example_request())),
    responses((status = 200, description = "What became of each entry",
        body = BatchResults, example = json!(example_response()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    answer_by: AnswerBy,
    batch: Batch<AcknowledgeOne>,
) -> Result<HttpResponse, Problem> {
    let (asked, unread) = batch.split();
    let ids: Vec<Option<Uuid>> = (asked.iter())
        .map(|entry| entry.as_ref().map(|entry| entry.id))
        .collect();
    let asked = asked.into_iter();
    let asked = asked.map(|entry| entry.map(|entry| (entry.id, entry.into())));
    let outcomes = acknowledge_many(&broker, &caller, asked.collect(), answer_by.0).await?;
    let mut unread = unread.into_iter();
    let mut deeds = Vec::new();
    let results: Vec<BatchResult> = (outcomes.into_iter().zip(ids).enumerate())
        .map(|(place, (outcome, id))| {
            let problem = match outcome {
                None => next_of(&mut unread),
                Some(Outcome::Done(upload)) => {
                    deeds.push(Deed::of(Action::UploadAcknowledged, &upload));
                    return BatchResult::done(StatusCode::OK, Upload::from(*upload));
                }
                Some(Outcome::Failed(error)) => {
                    Problem::from(error).within(&format!("/acknowledge/{place}"))
                }
                Some(Outcome::NotTried(dependency)) => Problem::not_tried(&dependency.to_string()),
                Some(Outcome::Unanswered) => Problem::overloaded("The broker"),
            };
            let refused = BatchResult::refused(&problem, PATH);
            deeds.extend(refused.deed().map(|deed| Deed {
                upload_id: deed.upload_id.or(id),
                ..deed
            }));
            refused
        })
        .collect();
    Ok(respond(results.into_iter(), deeds))
}

fn example_request() -> Value {
    json!({"acknowledge": [
        {"id": examples::ID, "size": 18, "etag": "\"9b2cf535f27731c974343645a3985328\""},
        {"id": OTHER_EXAMPLE_ID},
    ]})
}

fn example_response() -> Value {
    let problem = json!({
        "type": "/problems/object-missing",
        "title": Refused(Code::ObjectMissing).entry().title,
        "status": 409,
        "detail": "Nothing stands at its path yet.",
        "instance": "/uploads/batch/acknowledge",
        "code": "object-missing",
        "request_id": examples::REQUEST_ID,
        "upload_id": OTHER_EXAMPLE_ID,
        "upload_status": "Pending",
    });
    json!({"results": [
        {"status": 200, "upload": examples::uploaded()},
        {"status": 409, "problem": problem},
    ]})
}
