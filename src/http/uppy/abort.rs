//! `DELETE /s3/multipart/{uploadId}`.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::session::Session;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::cancel;

/// An empty object.
#[derive(Serialize, ToSchema)]
pub struct Aborted {}

const PATH: &str = "/s3/multipart/{uploadId}";

#[derive(OpenApi)]
#[openapi(paths(abort))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::delete().to(abort),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
    ],
};

/// Cancels an upload in parts.
#[utoipa::path(delete, path = PATH, operation_id = "uppyAbort", tag = "Uppy",
    summary = "Cancel an upload",
    description = "Cancels a Pending upload and removes its parts. Repeated calls, and calls for an upload that failed or expired, get the same response and change nothing.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("uploadId" = String, Path, description = "The upload id of S3, as one percent-encoded segment", example = "VXBsb2FkIElE"),
        ("key" = String, Query, description = "The key of the object", example = "in/photo.jpg"),
    ),
    responses((status = 200, description = "The upload is Cancelled, or has ended before without a dataset", body = Aborted, example = json!(example()))))]
pub async fn abort(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
) -> Result<HttpResponse, Problem> {
    let upload = cancel::cancel(&broker, &caller, &session.0).await?;
    let details = ActionDetails::on_upload(Action::UploadCancelled, &upload);
    Ok(HttpResponse::Ok().json(Aborted {}).audited(details))
}

fn example() -> Value {
    json!({})
}
