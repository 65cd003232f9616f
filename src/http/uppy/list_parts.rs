//! `GET /s3/multipart/{uploadId}`.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::session::Session;
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::parts::{self, UploadedPart};

/// A part that S3 has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StoredPart {
    /// The number of the part, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    part_number: u32,
    /// The size in bytes.
    size: u64,
    /// The ETag with its quotes.
    #[serde(rename = "ETag")]
    etag: String,
}

impl From<UploadedPart> for StoredPart {
    fn from(part: UploadedPart) -> Self {
        Self {
            part_number: part.number,
            size: part.size,
            etag: part.etag,
        }
    }
}

const PATH: &str = "/s3/multipart/{uploadId}";

#[derive(OpenApi)]
#[openapi(paths(list))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(list),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::ObjectMissing),
    ],
};

/// Lists all parts that S3 has of an upload.
#[utoipa::path(get, path = PATH, operation_id = "uppyListParts", tag = "Uppy",
    summary = "List the parts of an upload",
    description = "Lists all parts of a Pending upload that S3 has, to resume it.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("uploadId" = String, Path, description = "The upload id of S3, as one percent-encoded segment", example = "VXBsb2FkIElE"),
        ("key" = String, Query, description = "The key of the object", example = "in/photo.jpg"),
    ),
    responses((status = 200, description = "The parts, in the order of their numbers", body = Vec<StoredPart>, example = json!(example()))))]
pub async fn list(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
) -> Result<HttpResponse, Problem> {
    let parts = parts::list(&broker, &caller, &session.0).await?;
    let parts: Vec<StoredPart> = parts.into_iter().map(StoredPart::from).collect();
    Ok(HttpResponse::Ok().json(parts))
}

fn example() -> Value {
    json!([{
        "PartNumber": 1,
        "Size": 5_242_880,
        "ETag": "\"9b2cf535f27731c974343645a3985328\"",
    }])
}
