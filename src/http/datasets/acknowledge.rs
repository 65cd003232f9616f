//! `POST /datasets/{path}/action/acknowledge`.

use actix_web::{HttpResponse, web};

use crate::domain::audit::{Action, ActionDetails};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::Dataset;
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::problem::Problem;
use crate::http::uploads::acknowledge::Acknowledge;
use crate::http::uploads::wire::Upload;
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge;

/// The handler.
#[utoipa::path(post, path = "/datasets/{path}/action/acknowledge", operation_id = "acknowledgeDataset", tag = "Datasets",
    summary = "Acknowledge the newest upload of a path",
    description = "As `POST /uploads/{id}/acknowledge`, for a client that kept the path and not the id.",
    security(("bearer" = ["uploads:write"])),
    params(("path" = String, Path, description = "The path of the dataset; it contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$")),
    request_body(content = Option<Acknowledge>, description = "May be left out", example = json!(examples::acknowledge())),
    responses((status = 200, description = "The session, proven", body = Upload, example = json!(examples::uploaded()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    path: Dataset,
    body: OptionalJson<Acknowledge>,
) -> Result<HttpResponse, Problem> {
    let upload = acknowledge::by_path(&broker, &caller, &path.0, body.0.into()).await?;
    let details = ActionDetails::on_upload(Action::UploadAcknowledged, &upload);
    Ok(HttpResponse::Ok().json(Upload::from(upload)).noted(details))
}
