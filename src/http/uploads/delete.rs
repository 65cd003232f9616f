//! `DELETE /uploads/{id}`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsDelete};
use crate::http::extract::origin::RequestOrigin;
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::extract::response_deadline::ResponseDeadline;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::delete::cascade::{self, Cascade};
use crate::usecases::uploads::delete::{self, Force};

/// The parsed query parameters of both deletes.
#[derive(Clone, Copy, Debug)]
pub struct DeleteParams {
    /// What to do if another object is at the path.
    pub force: Force,
    /// Whether what was derived from the upload is deleted as well.
    pub cascade: bool,
}

impl FromParams for DeleteParams {
    const NAMES: &'static [&'static str] = &["force", "cascade"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let force = match params.one("force")? {
            None | Some("false") => Force::No,
            Some("true") => Force::Upload,
            Some("remove") => Force::Object,
            Some(_) => return Err(Problem::field("/force", "must be true, remove or false")),
        };
        let cascade = params.flag("cascade")?.unwrap_or_default();
        Ok(Self { force, cascade })
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
        Refused(Code::OutsidePrefix),
    ],
};

/// Deletes an upload by its id.
#[utoipa::path(delete, path = PATH, operation_id = "deleteUpload", tag = "Uploads",
    summary = "Delete an upload and its object",
    description = "Deletes an upload that is Uploaded, Processed or Error, and continues the delete of one that is Deleting. The object is deleted too if it belongs to this upload: for a verified upload, if it has the verified ETag. If another object is at the path of a verified upload, the delete is rejected (`dataset-drifted`): `force=true` deletes the upload and keeps that object; `force=remove` deletes that object too, unless another upload depends on it. A failed upload is deleted without the other object.\n\n`cascade=true` also deletes every dataset that was derived from this one, directly or indirectly, and cancels those that are still being uploaded. `force` does not apply to them. If one of them cannot be deleted, the request is rejected with its `upload_id`, and nothing is deleted. If the work takes longer than a request may, the response is a 503 and the work continues: repeat the request. A Deleted upload is accepted while something derived from it is left.",
    security(("bearer" = ["datasets:delete"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("force" = Option<String>, Query, description = "What to do if another object is at the path: `true` deletes only the upload, `remove` deletes that object too", example = "true", pattern = "^(true|remove|false)$"),
        ("cascade" = Option<bool>, Query, description = "Whether to delete also what was derived from the dataset; false by default", example = true),
    ),
    responses((status = 204, description = "The upload is deleted")))]
pub async fn delete(
    caller: Caller<DatasetsDelete>,
    broker: web::Data<Broker>,
    id: UploadId,
    query: Query<DeleteParams>,
    deadline: ResponseDeadline,
    origin: RequestOrigin,
) -> Result<HttpResponse, Problem> {
    let Query(DeleteParams { force, cascade }) = query;
    if cascade {
        let cascade = Cascade {
            force,
            until: deadline.0,
            origin: origin.0,
        };
        cascade::by_id(&broker, caller.principal(), id.0, cascade).await?;
        return Ok(HttpResponse::NoContent().finish());
    }
    let upload = delete::by_id(&broker, &caller, id.0, force).await?;
    let details = ActionDetails::on_upload(Action::UploadDeleted, &upload);
    Ok(HttpResponse::NoContent().finish().audited(details))
}
