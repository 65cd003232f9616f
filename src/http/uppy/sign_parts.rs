//! `GET /s3/multipart/{uploadId}/batch`.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::session::{Session, parameter};
use super::sign_part::URL;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::parts;

/// The URLs of parts. They are credentials: keep them secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartUrls {
    /// The URL of each part, by its number.
    presigned_urls: BTreeMap<u32, String>,
}

const PATH: &str = "/s3/multipart/{uploadId}/batch";

#[derive(OpenApi)]
#[openapi(paths(sign))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(sign),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::SizeLimitExceeded),
    ],
};

/// Signs the URLs of several parts.
#[utoipa::path(get, path = PATH, operation_id = "uppySignParts", tag = "Uppy",
    summary = "Issue the URLs of several parts",
    description = "Issues the URLs of parts as the route for one part does. Clients of Uppy 2 call it.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("uploadId" = String, Path, description = "The upload id of S3, as one percent-encoded segment", example = "VXBsb2FkIElE"),
        ("key" = String, Query, description = "The key of the object", example = "in/photo.jpg"),
        ("partNumbers" = String, Query, description = "The numbers of the parts, comma-separated", example = "1,2", pattern = "^[0-9]+(,[0-9]+)*$"),
    ),
    responses((status = 200, description = "The URLs", body = PartUrls, example = json!(example()))))]
pub async fn sign(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let numbers = parameter(request.query_string(), "partNumbers")?.unwrap_or_default();
    let numbers: Result<Vec<u32>, _> = numbers.split(',').map(|text| text.trim().parse()).collect();
    let numbers = numbers.map_err(|_| {
        let detail = "must be numbers from 1 to 10000, comma-separated";
        Problem::field("/partNumbers", detail)
    })?;
    let signed = parts::sign(&broker, &caller, &session.0, &numbers).await?;
    let details = ActionDetails::on_upload(Action::PartsSigned, &signed.upload);
    let details = details.expiring_at(signed.expires_at);
    Ok(HttpResponse::Ok()
        .json(PartUrls {
            presigned_urls: signed.urls.into_iter().collect(),
        })
        .audited(details))
}

fn example() -> Value {
    json!({"presignedUrls": {"1": URL}})
}
