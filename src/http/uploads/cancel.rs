//! `POST /uploads/{id}/cancel`.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::cancel;

const PATH: &str = "/uploads/{id}/cancel";

#[derive(OpenApi)]
#[openapi(paths(cancel))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(cancel),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
    ],
};

/// Cancels a Pending upload.
#[utoipa::path(post, path = PATH, operation_id = "cancelUpload", tag = "Uploads",
    summary = "Cancel an upload",
    description = "Cancels a Pending upload. An upload with another status cannot be cancelled.",
    security(("bearer" = ["uploads:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The upload, which is now Cancelled", body = Upload, example = json!(example()))))]
pub async fn cancel(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let upload = cancel::cancel(&broker, &caller, id.0).await?;
    let details = ActionDetails::on_upload(Action::UploadCancelled, &upload);
    Ok(HttpResponse::Ok()
        .json(Upload::from(upload))
        .audited(details))
}

fn example() -> Value {
    examples::changed(json!({"status": "Cancelled", "updated_at": "2025-03-01T10:01:00.000Z"}))
}
