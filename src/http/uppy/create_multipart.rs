//! `POST /s3/multipart`.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};

use super::metadata;
use super::session::KEY;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::Json;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::{NewFile, create};

/// A file that is sent in parts.
#[derive(Deserialize, ToSchema)]
pub struct CreateMultipart {
    /// The name of the file.
    #[schema(min_length = 1, example = "film.mp4")]
    filename: String,
    /// The media type; by default by the extension.
    #[schema(example = "video/mp4")]
    r#type: Option<String>,
    /// The metadata of the file; at most 2 KB. Numbers and other values are stored as text.
    #[schema(value_type = Option<Object>, additional_properties)]
    metadata: Option<Map<String, Value>>,
}

/// The names of an upload in parts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultipartUpload {
    /// The key of the object.
    key: String,
    /// The upload id of S3.
    upload_id: String,
    /// The bucket.
    bucket: String,
}

const PATH: &str = "/s3/multipart";

#[derive(OpenApi)]
#[openapi(paths(create))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(create),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::SizeLimitExceeded),
        Refused(Code::ContentTypeNotAllowed),
        Refused(Code::DatasetExists),
        Refused(Code::QuotaExceeded),
        Refused(Code::OutsidePrefix),
        Refused(Code::TokenSpent),
    ],
};

/// Creates an upload in parts.
#[utoipa::path(post, path = PATH, operation_id = "uppyCreateMultipart", tag = "Uppy",
    summary = "Create an upload that is sent in parts",
    description = "Creates an upload session for a file of any size. Its path is chosen as for `GET /s3/params`. The limit holds for the sum of the parts; with `fileSize` in the metadata, it is at most that many bytes.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = CreateMultipart, example = json!(example_request())),
    responses((status = 200, description = "The upload", body = MultipartUpload, example = json!(example()))))]
pub async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    body: Json<CreateMultipart>,
) -> Result<HttpResponse, Problem> {
    let CreateMultipart {
        filename,
        r#type,
        metadata,
    } = body.0;
    let file = NewFile {
        filename,
        content_type: r#type,
        metadata: metadata::of_json(metadata.unwrap_or_default()),
        size: None,
    };
    let upload = create::in_parts(&broker, &caller, file).await?;
    let details = ActionDetails::on_upload(Action::UploadCreated, &upload);
    let multipart = upload.multipart.map(|multipart| multipart.s3_upload_id);
    Ok(HttpResponse::Ok()
        .json(MultipartUpload {
            key: upload.key,
            upload_id: multipart.unwrap_or_default(),
            bucket: upload.bucket,
        })
        .audited(details))
}

fn example_request() -> Value {
    json!({"filename": "film.mp4", "type": "video/mp4", "metadata": {"name": "film.mp4"}})
}

fn example() -> Value {
    json!({"key": KEY, "uploadId": examples::S3_UPLOAD_ID, "bucket": "bucket"})
}
