//! `POST /uploads/{id}/cancel`.

use actix_web::{HttpResponse, web};

use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::path::UploadId;
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::uploads::cancel;

/// The handler.
#[utoipa::path(post, path = "/uploads/{id}/cancel", operation_id = "cancelUpload", tag = "Uploads",
    summary = "Cancel an upload",
    description = "Takes the promise back. Only a Pending upload can be cancelled.",
    security(("bearer" = ["uploads:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The session, cancelled", body = Upload, example = json!(examples::cancelled()))))]
pub async fn cancel(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let upload = cancel::cancel(&broker, &caller, id.0).await?;
    let details = ActionDetails::on_upload(Action::UploadCancelled, &upload);
    Ok(HttpResponse::Ok().json(Upload::from(upload)).noted(details))
}
