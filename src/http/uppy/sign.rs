//! `POST /s3/sign`: the function `signRequest` of version 6, answered by the broker.
//!
//! The bytes go to S3, by pre-signed PUTs. Every other request comes to the broker, which answers in
//! S3's XML (`xml`): so uploads are created, completed and cancelled here as in any other way.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::metadata;
use super::session::KEY;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::client_address;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::Json;
use crate::http::middleware::edge::Secure;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::bytes;
use crate::usecases::identity::tokens::{self, NewToken};
use crate::usecases::uppy::{NewFile, UppySession, create, parts};
use crate::usecases::{Broker, Urls};

/// The lifetime of the tokens in URLs of the broker, in seconds. The client uses each URL at once.
const TOKEN_SECONDS: u32 = 900;

/// The request that the client is about to send, as it passes it to `signRequest`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignRequest {
    /// `PUT`, `POST`, `GET` or `DELETE`.
    #[schema(pattern = "^(PUT|POST|GET|DELETE)$", example = "PUT")]
    method: String,
    /// The key: the one of the client for a new upload, and afterwards the one of the first response.
    #[schema(min_length = 1, example = "photo.jpg")]
    key: String,
    /// The media type of a new upload.
    content_type: Option<String>,
    /// The upload id of S3.
    upload_id: Option<String>,
    /// The number of a part.
    #[schema(minimum = 1, maximum = 10000)]
    part_number: Option<u32>,
    /// The size of the file in bytes, which the page adds. It is signed.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 0)]
    size: Option<u64>,
    /// The metadata of the file, which the page adds.
    #[schema(value_type = Option<Object>, additional_properties)]
    metadata: Option<Map<String, Value>>,
}

/// Where to send the request. The URL is a credential: keep it secret.
#[derive(Serialize, ToSchema)]
pub struct SignedRequest {
    /// The URL.
    #[schema(format = "uri")]
    url: String,
    /// The key of a new upload, which replaces that of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// Headers to send.
    headers: BTreeMap<&'static str, String>,
}

const PATH: &str = "/s3/sign";

#[derive(OpenApi)]
#[openapi(paths(sign))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(sign),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::SizeLimitExceeded),
        Refused(Code::ContentTypeNotAllowed),
        Refused(Code::DatasetExists),
        Refused(Code::QuotaExceeded),
        Refused(Code::OutsidePrefix),
        Refused(Code::TokenSpent),
    ],
};

/// Signs one request of a client that has a function `signRequest`.
#[utoipa::path(post, path = PATH, operation_id = "uppySignRequest", tag = "Uppy",
    summary = "Sign one request of a client",
    description = "For `signRequest` of `@uppy/aws-s3` 6: send its argument and add `size`, and return the response. A PUT gets a URL of S3; the first one, and the first POST, create the upload. Every other request gets a URL of the broker with a short-lived token, which answers in S3's XML.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = SignRequest, example = json!(example_request())),
    responses((status = 200, description = "Where to send the request", body = SignedRequest, example = json!(example()))))]
pub async fn sign(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    base: BasePath,
    request: HttpRequest,
    body: Json<SignRequest>,
) -> Result<HttpResponse, Problem> {
    let asked = body.0;
    let session = asked.upload_id.clone().map(|s3_upload_id| UppySession {
        key: asked.key.clone(),
        s3_upload_id,
    });
    let method = asked.method.clone();
    match (method.as_str(), session, asked.part_number) {
        ("PUT", None, None) => {
            let session = create::as_put(&broker, &caller, new_file(asked)).await?;
            let Some(Urls::Put(put)) = session.urls else {
                return Err(Problem::internal("a single upload has no URL"));
            };
            let details = ActionDetails::on_upload(Action::UploadCreated, &session.upload);
            let details = details.expiring_at(put.expires_at);
            let signed = SignedRequest {
                url: put.url,
                key: Some(session.upload.key),
                headers: put.headers.into_iter().collect(),
            };
            Ok(HttpResponse::Ok().json(signed).audited(details))
        }
        ("POST", None, None) => {
            let upload = create::in_parts(&broker, &caller, new_file(asked)).await?;
            let created = ActionDetails::on_upload(Action::UploadCreated, &upload);
            let multipart = upload.multipart.map(|multipart| multipart.s3_upload_id);
            let session = UppySession {
                key: upload.key,
                s3_upload_id: multipart.unwrap_or_default(),
            };
            let (start, issued) = start_of_urls(&broker, &caller, &base, &request).await?;
            let signed = SignedRequest {
                url: format!("{start}{}", path_of(&session, "/create")),
                key: Some(session.key),
                headers: BTreeMap::new(),
            };
            let details = std::iter::once(created).chain(issued).collect();
            Ok(HttpResponse::Ok().json(signed).audited_all(details))
        }
        ("PUT", Some(session), Some(number)) => {
            let signed = parts::sign(&broker, &caller, &session, &[number]).await?;
            let details = ActionDetails::on_upload(Action::PartsSigned, &signed.upload);
            let details = details.expiring_at(signed.expires_at);
            let url = signed.urls.into_iter().next().map(|(_, url)| url);
            let signed = SignedRequest {
                url: url.unwrap_or_default(),
                key: None,
                headers: BTreeMap::new(),
            };
            Ok(HttpResponse::Ok().json(signed).audited(details))
        }
        ("GET" | "POST" | "DELETE", Some(session), None) => {
            let (start, issued) = start_of_urls(&broker, &caller, &base, &request).await?;
            let signed = SignedRequest {
                url: format!("{start}{}", path_of(&session, "")),
                key: None,
                headers: BTreeMap::new(),
            };
            Ok(HttpResponse::Ok().json(signed).audited(issued))
        }
        _ => Err(Problem::field(
            "/method",
            "expected PUT or POST for a new upload; with uploadId PUT and partNumber, or GET, POST or DELETE",
        )),
    }
}

/// The file of a new upload. The client has put a UUID before the name; the broker does so itself.
fn new_file(asked: SignRequest) -> NewFile {
    let name = asked.key.rsplit('/').next().unwrap_or_default();
    let without = name.get(37..).filter(|_| {
        let uuid = name.get(..36).map(Uuid::try_parse);
        matches!(uuid, Some(Ok(_))) && name.get(36..37) == Some("-")
    });
    NewFile {
        filename: without.unwrap_or(name).to_owned(),
        content_type: asked.content_type,
        metadata: metadata::of_json(asked.metadata.unwrap_or_default()),
        size: asked.size,
    }
}

fn path_of(session: &UppySession, end: &str) -> String {
    let id = utf8_percent_encode(&session.s3_upload_id, NON_ALPHANUMERIC);
    let key = utf8_percent_encode(&session.key, NON_ALPHANUMERIC);
    format!("/s3/xml/{id}{end}?key={key}")
}

/// The start of a URL of the broker: its address, as the client has reached it, and a token in the path,
/// because the client sends no header. The audit record is that of a new token.
async fn start_of_urls(
    broker: &Broker,
    caller: &Caller<UploadsWrite>,
    base: &BasePath,
    request: &HttpRequest,
) -> Result<(String, Option<ActionDetails>), Problem> {
    let uses_tls = client_address::client_uses_tls(request).unwrap_or_else(|| {
        let listener = request.app_data::<web::Data<Secure>>();
        listener.is_some_and(|listener| listener.0)
    });
    let scheme = if uses_tls { "https" } else { "http" };
    let host = request.headers().get(actix_web::http::header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = format!("{scheme}://{host}");
    let own = base.join("");
    if !own.is_empty() {
        return Ok((format!("{origin}{own}"), None));
    }
    let new = NewToken {
        scopes: vec![Scope::UploadsWrite],
        expires_in: Some(TOKEN_SECONDS),
        ..NewToken::default()
    };
    let issued = tokens::issue(broker, caller, new).await?;
    let path = issued.prefix.as_ref().map(ToString::to_string);
    let subject = format!("token:{}", issued.fingerprint);
    let details = ActionDetails {
        path: Some(path.unwrap_or_else(|| "/".to_owned())),
        ..ActionDetails::on_subject(Action::TokenCreated, subject).expiring_at(issued.expires_at)
    };
    Ok((
        format!("{origin}/t/{}", issued.token.expose_secret()),
        Some(details),
    ))
}

fn example_request() -> Value {
    json!({"method": "PUT", "key": "photo.jpg", "contentType": "image/jpeg", "size": 18})
}

fn example() -> Value {
    json!({
        "url": examples::URL,
        "key": KEY,
        "headers": {
            "content-type": "image/jpeg",
            "if-none-match": "*",
            "x-amz-meta-upload-id": examples::ID,
        },
    })
}
