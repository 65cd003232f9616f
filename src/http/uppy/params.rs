//! `GET /s3/params`.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::metadata;
use super::session::{KEY, parameter};
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::{NewFile, create};

/// The query: a file to upload.
#[derive(Debug)]
pub struct FileQuery(NewFile);

impl FromRequest for FileQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.query_string();
        let file = || {
            Ok(Self(NewFile {
                filename: parameter(query, "filename")?.unwrap_or_default(),
                content_type: parameter(query, "type")?,
                metadata: metadata::of_query(query)?,
                size: None,
            }))
        };
        ready(file())
    }
}

/// A form to send a file with. Its fields are a credential: keep them secret.
#[derive(Serialize, ToSchema)]
pub struct UploadForm {
    /// Always `POST`.
    #[schema(example = "POST")]
    method: &'static str,
    /// The address of the bucket.
    #[schema(format = "uri")]
    url: String,
    /// Send exactly these fields, and after them the field `file`.
    fields: BTreeMap<&'static str, String>,
    /// The seconds until the form expires.
    expires: i64,
}

const PATH: &str = "/s3/params";

#[derive(OpenApi)]
#[openapi(paths(params))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(params),
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

/// Creates an upload for a file, and returns a form.
#[utoipa::path(get, path = PATH, operation_id = "uppyParams", tag = "Uppy",
    summary = "Create an upload that is sent as a form",
    description = "Creates an upload session for a file, and returns the fields of a form with a signed policy. The file gets a unique path in the folder of the credential: `metadata[path]` names a folder, and `metadata[relativePath]` keeps the folders that the user selected. The policy limits the size; with `metadata[fileSize]` it permits exactly that many bytes. Acknowledge the upload, or wait for the S3 event or for the janitor, which checks soon whether the object has arrived.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("filename" = String, Query, description = "The name of the file", example = "photo.jpg", min_length = 1),
        ("type" = Option<String>, Query, description = "The media type; by default by the extension", example = "image/jpeg"),
        ("metadata" = Option<BTreeMap<String, String>>, Query, style = DeepObject, explode, description = "The metadata of the file, as `metadata[name]=value`; at most 2 KB"),
    ),
    responses((status = 200, description = "The form", body = UploadForm, example = json!(example()))))]
pub async fn params(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    file: FileQuery,
) -> Result<HttpResponse, Problem> {
    let (upload, form) = create::as_form(&broker, &caller, file.0).await?;
    let details = ActionDetails::on_upload(Action::UploadCreated, &upload);
    let details = details.expiring_at(form.expires_at);
    Ok(HttpResponse::Ok()
        .json(UploadForm {
            method: "POST",
            url: form.url,
            fields: form.fields.into_iter().collect(),
            expires: form.expires_in,
        })
        .audited(details))
}

fn example() -> Value {
    json!({
        "method": "POST",
        "url": "https://bucket.s3.eu-central-1.amazonaws.com/",
        "fields": {
            "success_action_status": "201",
            "content-type": "image/jpeg",
            "x-amz-meta-upload-id": examples::ID,
            "bucket": "bucket",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": "AKIAEXAMPLE/20250301/eu-central-1/s3/aws4_request",
            "X-Amz-Date": "20250301T100000Z",
            "key": KEY,
            "Policy": "example",
            "X-Amz-Signature": "example",
        },
        "expires": 900,
    })
}
