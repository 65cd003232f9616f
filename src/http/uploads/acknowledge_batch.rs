//! `POST /uploads/batch/acknowledge`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::acknowledge::AcknowledgeOne;
use super::batch::{BatchResult, BatchResults, next_of, respond};
use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::http::extract::answer_by::AnswerBy;
use crate::http::extract::batch::{Batch, Entry};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::openapi::examples::batches;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge_batch::{self, Outcome, acknowledge_many};

const PATH: &str = "/uploads/batch/acknowledge";

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

/// The same, unread.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread<'a> {
    #[serde(borrow)]
    acknowledge: Vec<&'a RawValue>,
}

impl<'a> From<Unread<'a>> for Vec<&'a RawValue> {
    fn from(body: Unread<'a>) -> Self {
        body.acknowledge
    }
}

impl Entry for AcknowledgeOne {
    const MEMBER: &'static str = "acknowledge";
    const MOST: usize = acknowledge_batch::MOST;
    type Body<'a> = Unread<'a>;
}

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeUploads", tag = "Uploads",
    summary = "Acknowledge many uploads",
    description = "Up to 1,000 uploads in one request. Each is proven as by `POST /uploads/{id}/acknowledge`; the results are in the order of the entries, and one that is refused does not spoil the others. Entries that were not tried, because S3 or Postgres failed for those before them or the time of a request was over, have a problem of status 503: send those again. Where that is so of every upload, the whole answer is a 503. The same upload may be in a batch twice. The body may have 4 MiB (`BROKER_MAX_BATCH_BODY_BYTES`).",
    security(("bearer" = ["uploads:write"])),
    request_body(content = AcknowledgeUploads, example = json!(batches::acknowledge_uploads())),
    responses((status = 200, description = "What became of each entry",
        body = BatchResults, example = json!(batches::acknowledged_uploads()))))]
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
    let mut actions = Vec::new();
    let results: Vec<BatchResult> = (outcomes.into_iter().zip(ids).enumerate())
        .map(|(place, (outcome, id))| {
            let problem = match outcome {
                None => next_of(&mut unread),
                Some(Outcome::Done(upload)) => {
                    actions.push(ActionDetails::on_upload(
                        Action::UploadAcknowledged,
                        &upload,
                    ));
                    return BatchResult::done(StatusCode::OK, Upload::from(*upload));
                }
                Some(Outcome::Failed(error)) => {
                    Problem::from(error).within(&format!("/acknowledge/{place}"))
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
