//! `GET /uploads/{id}`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::create::issued_urls;
use super::wire::Upload;
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::read;

/// The parsed query parameter `refresh_urls`.
#[derive(Debug)]
pub struct Refresh(bool);

impl FromParams for Refresh {
    const NAMES: &'static [&'static str] = &["refresh_urls"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        Ok(Self(params.flag("refresh_urls")?.unwrap_or(false)))
    }
}

const PATH: &str = "/uploads/{id}";

#[derive(OpenApi)]
#[openapi(paths(read))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(read),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::SizeLimitExceeded),
    ],
};

/// Returns an upload session.
#[utoipa::path(get, path = PATH, operation_id = "getUpload", tag = "Uploads",
    summary = "Get an upload session",
    description = "Returns an upload session. With `refresh_urls=true`, which also requires the scope `uploads:write`, a Pending session has a fresh URL in `upload`.",
    security(("bearer" = ["uploads:read"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("refresh_urls" = Option<bool>, Query, description = "Whether to issue a fresh URL"),
    ),
    responses((status = 200, description = "The session", body = Upload, example = json!(examples::uploaded()))))]
pub async fn read(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    base: BasePath,
    id: UploadId,
    query: Query<Refresh>,
) -> Result<HttpResponse, Problem> {
    let Query(Refresh(refresh)) = query;
    if refresh {
        caller.require_scope(Scope::UploadsWrite)?;
    }
    let session = read::read(&broker, &caller, id.0, refresh).await?;
    let details = issued_urls(&session, false);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Upload::of(session, &base))
        .audited(details))
}
