//! `POST /uploads`.

use std::collections::BTreeMap;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::Object;
use utoipa::{OpenApi, ToSchema};

use super::wire::Upload;
use crate::domain::audit::{Action, Deed};
use crate::domain::headers::ObjectHeaders;
use crate::domain::refusal::Code;
use crate::http::extract::base::Base;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::extract::json::Json;
use crate::http::noted::Noted as _;
use crate::http::openapi::{examples, schemas};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Checksum, bytes};
use crate::usecases::uploads::create::once::{self, Created};
use crate::usecases::uploads::create::{self, NewUpload};
use crate::usecases::{Broker, Session};

/// What a client asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUpload {
    #[schema(schema_with = path_schema)]
    path: String,
    /// A name for people; by default the file stem.
    name: Option<String>,
    /// A note for people.
    comments: Option<String>,
    /// Kept by the broker; 2 KB of keys and values in all.
    metadata: Option<BTreeMap<String, String>>,
    /// By default from the extension, else `application/octet-stream`. Signed.
    #[schema(example = "text/csv")]
    content_type: Option<String>,
    /// Bytes. Signed where it is given; else the size is only checked at the acknowledge.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 0)]
    size: Option<u64>,
    /// Signed where it is given: S3 refuses other bytes.
    checksum: Option<Checksum>,
    /// Whether what stands at the path may be replaced; by default not.
    overwrite: Option<bool>,
    /// Replace exactly the version with this ETag.
    if_match: Option<String>,
    /// Set on the object.
    content_encoding: Option<String>,
    /// Set on the object.
    content_disposition: Option<String>,
    /// Set on the object.
    content_language: Option<String>,
    /// Set on the object.
    cache_control: Option<String>,
    /// Set on the object.
    #[schema(example = "STANDARD_IA")]
    storage_class: Option<String>,
    /// Set on the object; at most ten.
    tags: Option<BTreeMap<String, String>>,
    /// Whether the bytes come in parts; by default where `size` exceeds the broker's threshold, or
    /// `part_size` or `part_checksums` is given. Without a size the end is open: parts are asked
    /// for with their sizes, and the acknowledge names the sum.
    multipart: Option<bool>,
    /// Bytes of every part but the last: 5 MiB to 5 GiB, and no more than 10,000 parts.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 5242880, maximum = 5368709120_u64, example = 16777216)]
    part_size: Option<u64>,
    /// The algorithm of the checksums that the parts will be asked for with: S3 holds every part
    /// to its own, and with a CRC tells the checksum of the whole object in the end.
    #[schema(schema_with = schemas::algorithm_or_null)]
    part_checksums: Option<String>,
    /// How long the URLs live, in seconds, and a session that nobody asks anything of. A URL ends
    /// with the credential that it was asked for with at the latest; the session goes on.
    #[schema(minimum = 1, maximum = 604800)]
    expires_in: Option<u32>,
}

fn path_schema() -> Object {
    schemas::dataset_path(
        "The path of the dataset, with or without its leading slash.",
        "/data/employees.csv",
    )
}

const PATH: &str = "/uploads";

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
        Refused(Code::IdempotencyKeyReused),
        Refused(Code::OutsidePrefix),
        Refused(Code::TokenSpent),
    ],
};

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "createUpload", tag = "Uploads",
    summary = "Create an upload session",
    description = "Promises a dataset at a path and answers with a pre-signed PUT. Send the bytes there with exactly the `headers` of `upload`, then acknowledge. Unless `overwrite` or `if_match` is given, the URL writes once. Large datasets come in parts: `upload` is null then, and `multipart` has the first 100 of them; PUT each to its URL, ask for the others, and acknowledge: the broker makes them an object.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = CreateUpload, example = json!(example_request())),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. The same key with the same body within 24 hours, or later while the upload is Pending, makes nothing new: it answers with the same upload, and a fresh URL while that is Pending.", pattern = "^[!-~]{1,255}$")),
    responses((status = 201, description = "The session",
        headers(("Location" = String, description = "`/uploads/{id}`")),
        body = Upload, example = json!(examples::upload())),
        (status = 200, description = "The session that an earlier request with this `Idempotency-Key` made",
        headers(("Location" = String, description = "`/uploads/{id}`")),
        body = Upload, example = json!(examples::upload()))))]
pub async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    base: Base,
    key: IdempotencyKey,
    body: Json<CreateUpload>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.into();
    let (status, session) = match key.0 {
        None => (
            StatusCode::CREATED,
            create::create(&broker, &caller, new).await?,
        ),
        Some(key) => match once::create_once(&broker, &caller, new, &key).await? {
            Created::New(session) => (StatusCode::CREATED, session),
            Created::Before(session) => (StatusCode::OK, session),
        },
    };
    let location = base.join(&format!("/uploads/{}", session.upload.id));
    let deed = granted(&session, status == StatusCode::CREATED);
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Upload::of(session, &base))
        .noted(deed))
}

/// What the audit is told of a session in an answer: nothing where no URL goes with it.
pub(super) fn granted(session: &Session, is_new: bool) -> Option<Deed> {
    let urls = session.urls.as_ref()?;
    let action = match is_new {
        true => Action::UploadCreated,
        false => Action::UrlsSigned,
    };
    Some(Deed::of(action, &session.upload).until(urls.expires_at()))
}

impl From<CreateUpload> for NewUpload {
    fn from(body: CreateUpload) -> Self {
        Self {
            path: body.path,
            name: body.name,
            comments: body.comments,
            metadata: body.metadata.unwrap_or_default(),
            content_type: body.content_type,
            size: body.size,
            checksum: body.checksum.map(Checksum::into_pair),
            overwrite: body.overwrite,
            if_match: body.if_match,
            headers: ObjectHeaders {
                content_encoding: body.content_encoding,
                content_disposition: body.content_disposition,
                content_language: body.content_language,
                cache_control: body.cache_control,
                storage_class: body.storage_class,
                tags: body.tags.unwrap_or_default(),
                encryption: None,
            },
            expires_in: body.expires_in,
            multipart: body.multipart,
            part_size: body.part_size,
            part_checksums: body.part_checksums,
        }
    }
}

pub(super) fn example_request() -> Value {
    json!({
        "path": "/data/employees.csv",
        "name": "Employees",
        "content_type": "text/csv",
        "size": 18,
        "checksum": examples::checksum(),
        "metadata": {"team": "hr"},
    })
}
