//! `POST /uploads`.

use std::collections::BTreeMap;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::Object;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::headers::ObjectHeaders;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::extract::json::Json;
use crate::http::openapi::{examples, schemas};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Checksum, bytes};
use crate::usecases::uploads::create::{self, Created, DerivedFrom, NewUpload};
use crate::usecases::{Broker, Session};

/// The upload session to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUpload {
    #[schema(schema_with = path_schema)]
    path: String,
    /// A display name; the file stem by default.
    name: Option<String>,
    /// A note.
    comments: Option<String>,
    /// Stored by the broker; at most 2 KB of keys and values in total.
    metadata: Option<BTreeMap<String, String>>,
    /// By default derived from the file extension, or `application/octet-stream`. It is signed.
    #[schema(example = "text/csv")]
    content_type: Option<String>,
    /// The size in bytes. If given, it is signed; otherwise the size is checked only by
    /// acknowledge.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 0)]
    size: Option<u64>,
    /// The checksum of the whole object. If given, it is signed, and S3 rejects other bytes.
    checksum: Option<Checksum>,
    /// Whether an object at the path may be replaced; false by default.
    overwrite: Option<bool>,
    /// Replace the object at the path only if it has this ETag.
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
    /// The tags of the object; at most ten.
    tags: Option<BTreeMap<String, String>>,
    /// Whether to upload in parts. The default is true if `size` exceeds the threshold of the
    /// broker, or if `part_size` or `part_checksums` is given. Without `size`, request each part
    /// with its size, and state the total size when you acknowledge.
    multipart: Option<bool>,
    /// The size in bytes of every part except the last: 5 MiB to 5 GiB, and so that there are at
    /// most 10,000 parts.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 5242880, maximum = 5368709120_u64, example = 16777216)]
    part_size: Option<u64>,
    /// The algorithm of the part checksums that you will state when you request parts. S3 checks
    /// each part against its checksum; with a CRC it also computes the checksum of the whole
    /// object.
    #[schema(schema_with = schemas::algorithm_or_null)]
    part_checksums: Option<String>,
    /// The lifetime in seconds of the URLs, and of the session unless requests extend it. A URL
    /// never outlives the credential of its request; the session does.
    #[schema(minimum = 1, maximum = 604800)]
    expires_in: Option<u32>,
    /// The upload that this dataset is made from. It needs the scope `processing:write`. No rule
    /// applies to the dataset, and a cascading delete removes it with its source.
    derived_from: Option<Uuid>,
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

/// Creates an upload session.
#[utoipa::path(post, path = PATH, operation_id = "createUpload", tag = "Uploads",
    summary = "Create an upload session",
    description = "Creates an upload session for a path and returns a pre-signed PUT. Send the bytes to its URL with exactly the `headers` in `upload`, then acknowledge. Without `overwrite` or `if_match`, the URL cannot replace an existing object. A large dataset is uploaded in parts: `upload` is then null, and `multipart` has the first 100 parts. PUT each part to its URL, request the remaining parts, and acknowledge: the broker assembles the object.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = CreateUpload, example = json!(example_request())),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. A repeated request with the same key and the same body within 24 hours, or later while the upload is Pending, creates no second upload: it returns the same upload, with a fresh URL while it is Pending.", pattern = "^[!-~]{1,255}$")),
    responses((status = 201, description = "The new session",
        headers(("Location" = String, description = "`/uploads/{id}`")),
        body = Upload, example = json!(examples::upload())),
        (status = 200, description = "The session that an earlier request with this `Idempotency-Key` created",
        headers(("Location" = String, description = "`/uploads/{id}`")),
        body = Upload, example = json!(examples::upload()))))]
pub async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    base: BasePath,
    key: IdempotencyKey,
    body: Json<CreateUpload>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.into();
    let created = create::create(&broker, &caller, new, key.0.as_deref()).await?;
    let (status, session) = match created {
        Created::New(session) => (StatusCode::CREATED, session),
        Created::Before(session) => (StatusCode::OK, session),
    };
    let location = base.join(&format!("/uploads/{}", session.upload.id));
    let details = issued_urls(&session, status == StatusCode::CREATED);
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Upload::of(session, &base))
        .audited(details))
}

/// The audit record for a session that is returned to the caller. `None` if it is returned without
/// URLs.
pub(super) fn issued_urls(session: &Session, is_new: bool) -> Option<ActionDetails> {
    let urls = session.urls.as_ref()?;
    let action = match is_new {
        true => Action::UploadCreated,
        false => Action::UrlsSigned,
    };
    Some(ActionDetails::on_upload(action, &session.upload).expiring_at(urls.expires_at()))
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
            uppy: None,
            derived_from: body.derived_from.map(DerivedFrom::Declared),
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
