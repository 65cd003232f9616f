//! `POST /datasets/{path}/action/acknowledge`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::audit::{Action, ActionDetails};
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::Dataset;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::uploads;
use crate::http::uploads::acknowledge::{Acknowledge, example_request};
use crate::http::uploads::wire::Upload;
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge;

const PATH: &str = "/datasets/{path}/action/acknowledge";

#[derive(OpenApi)]
#[openapi(paths(acknowledge))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(acknowledge),
    document: ApiDoc::openapi,
    problems: uploads::acknowledge::OPERATION.problems,
};

/// Acknowledges the newest upload of a path.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeDataset", tag = "Datasets",
    summary = "Acknowledge the newest upload of a path",
    description = "The same as `POST /uploads/{id}/acknowledge`, for a client that knows the path but not the id of the upload.",
    security(("bearer" = ["uploads:write"])),
    params(("path" = String, Path, description = "The path of the dataset, which contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$")),
    request_body(content = Option<Acknowledge>, description = "May be omitted", example = json!(example_request())),
    responses((status = 200, description = "The upload, which is now Uploaded", body = Upload, example = json!(examples::uploaded()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    path: Dataset,
    body: OptionalJson<Acknowledge>,
) -> Result<HttpResponse, Problem> {
    let upload = acknowledge::by_path(&broker, &caller, &path.0, body.0.into()).await?;
    let details = ActionDetails::on_upload(Action::UploadAcknowledged, &upload);
    Ok(HttpResponse::Ok()
        .json(Upload::from(upload))
        .audited(details))
}
