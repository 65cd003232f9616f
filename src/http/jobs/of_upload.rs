//! `GET /uploads/{id}/jobs`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::wire::{Job, example};
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::jobs::list;

const PATH: &str = "/uploads/{id}/jobs";

#[derive(OpenApi)]
#[openapi(paths(jobs))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(jobs),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest), Refused(Code::UploadNotFound)],
};

/// Lists the jobs of an upload.
#[utoipa::path(get, path = PATH, operation_id = "listUploadJobs", tag = "Processing",
    summary = "List the jobs of an upload",
    description = "Returns all jobs of the upload, oldest first.",
    security(("bearer" = ["uploads:read"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The jobs", body = Vec<Job>, example = json!([example()]))))]
pub async fn jobs(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let jobs = list::of_upload(&broker, &caller, id.0).await?;
    let jobs: Vec<Job> = jobs.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(jobs))
}
