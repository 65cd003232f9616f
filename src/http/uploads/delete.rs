//! `DELETE /uploads/{id}`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::audit::{Action, Deed};
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, DatasetsDelete};
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::noted::Noted as _;
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

/// The handler.
#[utoipa::path(delete, path = PATH, operation_id = "deleteUpload", tag = "Uploads",
    summary = "Delete an upload and its object",
    description = "Only one that is Uploaded, Processed or Error; the delete of a Deleting one is continued. The object goes too if it is this upload's own: of a proven upload, an object with the proven ETag. Where another object stands at the path, a proven upload is refused (`dataset-drifted`): `force=true` ends it and leaves that object alone, `force=remove` removes that object too, unless another upload counts on it. A failed upload just ends, and the other object stays.",
    security(("bearer" = ["datasets:delete"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("force" = Option<String>, Query, description = "What to do where another object stands at the path: `true` ends the upload and leaves that alone, `remove` removes it too", example = "true", pattern = "^(true|remove|false)$"),
    ),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<DatasetsDelete>,
    broker: web::Data<Broker>,
    id: UploadId,
    query: Query<Force>,
) -> Result<HttpResponse, Problem> {
    let Query(force) = query;
    let upload = delete::by_id(&broker, &caller, id.0, force).await?;
    let deed = Deed::of(Action::UploadDeleted, &upload);
    Ok(HttpResponse::NoContent().finish().noted(deed))
}
