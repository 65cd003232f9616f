//! `POST /uploads/batch/acknowledge`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::acknowledge::AcknowledgeOne;
use super::batch::{BatchResult, BatchResults, next_problem, respond};
use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::extract::batch::{Batch, Entry};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::response_deadline::ResponseDeadline;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge_batch::{self, Outcome, acknowledge_many};

/// A batch of uploads to acknowledge.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it is the schema only: entries are parsed one by one"
)]
pub struct AcknowledgeUploads {
    /// Each entry has the id of an upload and the fields of `POST /uploads/{id}/acknowledge`.
    #[schema(min_items = 1, max_items = 1000)]
    acknowledge: Vec<AcknowledgeOne>,
}

impl Entry for AcknowledgeOne {
    const MEMBER: &'static str = "acknowledge";
    const MAX_ENTRIES: usize = acknowledge_batch::MAX_ENTRIES;
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

/// Acknowledges a batch of uploads.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeUploads", tag = "Uploads",
    summary = "Acknowledge a batch of uploads",
    description = "Acknowledges up to 1,000 uploads in one request, each as `POST /uploads/{id}/acknowledge` does. The results are in the order of the entries; a rejected entry does not affect the others. An entry that was not tried, because S3 or Postgres failed for an earlier entry or the time limit of the request was reached, has a problem with status 503: send it again. If no entry was tried, the whole response is a 503. A batch may contain the same upload twice. The body may have 4 MiB (`BROKER_MAX_BATCH_BODY_BYTES`).",
    security(("bearer" = ["uploads:write"])),
    request_body(content = AcknowledgeUploads, example = json!(example_request())),
    responses((status = 200, description = "The result of each entry",
        body = BatchResults, example = json!(example_response()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    deadline: ResponseDeadline,
    batch: Batch<AcknowledgeOne>,
) -> Result<HttpResponse, Problem> {
    let (entries, problems) = batch.split();
    let ids: Vec<Option<Uuid>> = (entries.iter())
        .map(|entry| entry.as_ref().map(|entry| entry.id))
        .collect();
    let entries = entries.into_iter();
    let entries = entries.map(|entry| entry.map(|entry| (entry.id, entry.into())));
    let outcomes = acknowledge_many(&broker, &caller, entries.collect(), deadline.0).await?;
    let mut problems = problems.into_iter();
    let mut actions = Vec::new();
    let results: Vec<BatchResult> = (outcomes.into_iter().zip(ids).enumerate())
        .map(|(index, (outcome, id))| {
            let problem = match outcome {
                None => next_problem(&mut problems),
                Some(Outcome::Done(upload)) => {
                    actions.push(ActionDetails::on_upload(
                        Action::UploadAcknowledged,
                        &upload,
                    ));
                    return BatchResult::done(StatusCode::OK, Upload::from(*upload));
                }
                Some(Outcome::Failed(error)) => {
                    Problem::from(error).within(&format!("/acknowledge/{index}"))
                }
                Some(Outcome::NotTried(dependency)) => Problem::not_tried(&dependency.to_string()),
                Some(Outcome::Unanswered) => Problem::overloaded("The broker"),
            };
            let refused = BatchResult::refused(&problem, PATH);
            actions.extend(refused.details().map(|details| ActionDetails {
                upload_id: details.upload_id.or(id),
                ..details
            }));
            refused
        })
        .collect();
    Ok(respond(results.into_iter(), actions))
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
        "detail": "There is no object at its path yet.",
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
