//! `DELETE /datasets/{path}`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsDelete};
use crate::http::extract::origin::RequestOrigin;
use crate::http::extract::path::Dataset;
use crate::http::extract::query::Query;
use crate::http::extract::response_deadline::ResponseDeadline;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::uploads::delete::DeleteParams;
use crate::usecases::Broker;
use crate::usecases::uploads::delete;
use crate::usecases::uploads::delete::cascade::{self, Cascade};

const PATH: &str = "/datasets/{path}";

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
        Refused(Code::DatasetNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::DatasetDrifted),
        Refused(Code::OutsidePrefix),
    ],
};

/// Deletes the dataset at a path.
#[utoipa::path(delete, path = PATH, operation_id = "deleteDataset", tag = "Datasets",
    summary = "Delete a dataset and its upload",
    description = "The same as `DELETE /uploads/{id}` for the upload of the dataset at the path, except that a 204 means that no object remains at the path. If another object would remain, the delete is rejected (`dataset-drifted`), also for a failed upload. `force=remove` deletes that object, unless another upload depends on it. `cascade=true` also deletes what was derived from the dataset, as for `DELETE /uploads/{id}`.",
    security(("bearer" = ["datasets:delete"])),
    params(
        ("path" = String, Path, description = "The path of the dataset, which contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$"),
        ("force" = Option<String>, Query, description = "`remove` also deletes another object at the path; `true` keeps it, so the delete is rejected if there is one", example = "remove", pattern = "^(true|remove|false)$"),
        ("cascade" = Option<bool>, Query, description = "Whether to delete also what was derived from the dataset; false by default", example = true),
    ),
    responses((status = 204, description = "The dataset is deleted")))]
pub async fn delete(
    caller: Caller<DatasetsDelete>,
    broker: web::Data<Broker>,
    path: Dataset,
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
        cascade::by_path(&broker, caller.principal(), &path.0, cascade).await?;
        return Ok(HttpResponse::NoContent().finish());
    }
    let upload = delete::by_path(&broker, &caller, &path.0, force).await?;
    let details = ActionDetails::on_upload(Action::UploadDeleted, &upload);
    Ok(HttpResponse::NoContent().finish().audited(details))
}
