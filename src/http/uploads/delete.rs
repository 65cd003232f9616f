//! `DELETE /uploads/{id}`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsDelete};
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::delete::{self, Force};

impl FromParams for Force {
    const NAMES: &'static [&'static str] = &["force"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        match params.one("force")? {
            None | Some("false") => Ok(Self::No),
            Some("true") => Ok(Self::Upload),
            Some("remove") => Ok(Self::Object),
            Some(_) => Err(Problem::field("/force", "must be true, remove or false")),
        }
    }
}

const PATH: &str = "/uploads/{id}";

#[derive(OpenApi)]
#[openapi(paths(delete))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::delete().to(delete),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::DatasetDrifted),
    ],
};

/// Deletes an upload by its id.
#[utoipa::path(delete, path = PATH, operation_id = "deleteUpload", tag = "Uploads",
    summary = "Delete an upload and its object",
    description = "Deletes an upload that is Uploaded, Processed or Error, and continues the delete of one that is Deleting. The object is deleted too if it belongs to this upload: for a verified upload, if it has the verified ETag. If another object is at the path of a verified upload, the delete is rejected (`dataset-drifted`): `force=true` deletes the upload and keeps that object; `force=remove` deletes that object too, unless another upload depends on it. A failed upload is deleted without the other object.",
    security(("bearer" = ["datasets:delete"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("force" = Option<String>, Query, description = "What to do if another object is at the path: `true` deletes only the upload, `remove` deletes that object too", example = "true", pattern = "^(true|remove|false)$"),
    ),
    responses((status = 204, description = "The upload is deleted")))]
pub async fn delete(
    caller: Caller<DatasetsDelete>,
    broker: web::Data<Broker>,
    id: UploadId,
    query: Query<Force>,
) -> Result<HttpResponse, Problem> {
    let Query(force) = query;
    let upload = delete::by_id(&broker, &caller, id.0, force).await?;
    let details = ActionDetails::on_upload(Action::UploadDeleted, &upload);
    Ok(HttpResponse::NoContent().finish().audited(details))
}
