//! `POST /uploads/{id}/extend`.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::extend;

/// The new lifetime.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    /// Seconds from now; by default the lifetime that was requested when the session was created.
    #[schema(minimum = 1, maximum = 604800, example = 3600)]
    expires_in: Option<u32>,
}

const PATH: &str = "/uploads/{id}/extend";

#[derive(OpenApi)]
#[openapi(paths(extend))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(extend),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
    ],
};

/// Extends a Pending upload session.
#[utoipa::path(post, path = PATH, operation_id = "extendUpload", tag = "Uploads",
    summary = "Extend an upload session",
    description = "Extends a Pending session, up to the longest lifetime of a session (`BROKER_SESSION_MAX_SECONDS` after its creation). It never shortens a session. `expires_at` has the result. URLs that were issued before do not change; request fresh ones.",
    security(("bearer" = ["uploads:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    request_body(content = Option<Extend>, description = "May be omitted", example = json!(example_request())),
    responses((status = 200, description = "The extended session", body = Upload, example = json!(example_response()))))]
pub async fn extend(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    body: OptionalJson<Extend>,
) -> Result<HttpResponse, Problem> {
    let upload = extend::extend(&broker, &caller, id.0, body.0.expires_in).await?;
    let details =
        ActionDetails::on_upload(Action::UploadExtended, &upload).expiring_at(upload.expires_at);
    Ok(HttpResponse::Ok()
        .json(Upload::from(upload))
        .audited(details))
}

fn example_request() -> Value {
    json!({"expires_in": 3600})
}

fn example_response() -> Value {
    examples::changed(json!({"expires_at": "2025-03-01T11:05:00.000Z"}))
}
