//! `POST /s3/multipart/{uploadId}/complete`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::session::{KEY, Session};
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalLargeJson;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::complete::{self, NamedPart};

/// The parts of an upload.
#[derive(Default, Deserialize, ToSchema)]
pub struct CompleteMultipart {
    /// All parts that were sent, in any order.
    #[schema(min_items = 1, max_items = 10000)]
    parts: Vec<SentPart>,
}

/// A part that was sent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SentPart {
    /// The number of the part, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    part_number: u32,
    /// The ETag that S3 returned, with or without its quotes.
    #[serde(rename = "ETag")]
    etag: String,
}

impl From<SentPart> for NamedPart {
    fn from(part: SentPart) -> Self {
        Self {
            number: part.part_number,
            etag: part.etag,
        }
    }
}

/// The object that was completed.
#[derive(Serialize, ToSchema)]
pub struct CompletedUpload {
    /// The address of the object, without a signature.
    #[schema(format = "uri")]
    location: String,
    /// The key of the object.
    key: String,
    /// The bucket.
    bucket: String,
}

const PATH: &str = "/s3/multipart/{uploadId}/complete";

#[derive(OpenApi)]
#[openapi(paths(complete))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(complete),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::SizeLimitExceeded),
        Refused(Code::QuotaExceeded),
        Refused(Code::ObjectMissing),
        Refused(Code::PartsMissing),
        Refused(Code::ObjectMismatch),
        Refused(Code::DatasetExists),
    ],
};

/// Completes and acknowledges an upload in parts.
#[utoipa::path(post, path = PATH, operation_id = "uppyComplete", tag = "Uppy",
    summary = "Complete an upload",
    description = "Compares the parts with those that S3 has, completes them, and acknowledges the upload. Repeated calls get the same response and cause one event.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("uploadId" = String, Path, description = "The upload id of S3, as one percent-encoded segment", example = "VXBsb2FkIElE"),
        ("key" = String, Query, description = "The key of the object", example = "in/photo.jpg"),
    ),
    request_body(content = CompleteMultipart, example = json!(example_request())),
    responses((status = 200, description = "The object", body = CompletedUpload, example = json!(example()))))]
pub async fn complete(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
    body: OptionalLargeJson<CompleteMultipart>,
) -> Result<HttpResponse, Problem> {
    let parts: Vec<NamedPart> = body.0.parts.into_iter().map(NamedPart::from).collect();
    let completed = complete::complete(&broker, &caller, &session.0, &parts).await?;
    let upload = completed.upload;
    let details = ActionDetails::on_upload(Action::UploadAcknowledged, &upload);
    Ok(HttpResponse::Ok()
        .json(CompletedUpload {
            location: completed.location,
            key: upload.key,
            bucket: upload.bucket,
        })
        .audited(details))
}

fn example_request() -> Value {
    json!({"parts": [{"PartNumber": 1, "ETag": "9b2cf535f27731c974343645a3985328"}]})
}

fn example() -> Value {
    let location = format!("https://bucket.s3.eu-central-1.amazonaws.com/{KEY}");
    json!({"location": location, "key": KEY, "bucket": "bucket"})
}
