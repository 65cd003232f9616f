//! `/s3/xml/{uploadId}`: the requests of `signRequest` that S3 would answer, in S3's XML.
//!
//! These are no operations of the API: only URLs of `POST /s3/sign` lead here, with a token in the path.
//! Errors are in S3's XML, too (`problem`).

use actix_web::http::header;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};

use super::complete_body;
use super::session::Session;
use crate::domain::audit::{Action, ActionDetails};
use crate::http::audited::Audited as _;
use crate::http::extract::body::{self, Size};
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::html::escape;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::uppy::{cancel, complete, parts, read};

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The resources.
pub fn resources() -> [Resource; 2] {
    [
        web::resource("/xml/{uploadId}/create").route(web::post().to(create)),
        web::resource("/xml/{uploadId}")
            .route(web::get().to(list))
            .route(web::post().to(complete))
            .route(web::delete().to(abort)),
    ]
}

/// The upload was created when the URL was signed.
async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
) -> Result<HttpResponse, Problem> {
    let upload = read(&broker, &caller, &session.0).await?;
    let members = [
        ("Bucket", upload.bucket),
        ("Key", upload.key),
        ("UploadId", session.0.s3_upload_id),
    ];
    Ok(document(
        "InitiateMultipartUploadResult",
        &elements(&members),
    ))
}

async fn list(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
) -> Result<HttpResponse, Problem> {
    let parts = parts::list(&broker, &caller, &session.0).await?;
    let members = [
        ("Key", session.0.key),
        ("UploadId", session.0.s3_upload_id),
        ("IsTruncated", "false".to_owned()),
    ];
    let mut content = elements(&members);
    for part in parts {
        let part = [
            ("PartNumber", part.number.to_string()),
            ("ETag", part.etag),
            ("Size", part.size.to_string()),
        ];
        content.push_str(&format!("<Part>{}</Part>", elements(&part)));
    }
    Ok(document("ListPartsResult", &content))
}

async fn complete(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload.into_inner(), Size::Batch).await?;
    let named = complete_body::parse(&body)?;
    let completed = complete::complete(&broker, &caller, &session.0, &named).await?;
    let upload = completed.upload;
    let details = ActionDetails::on_upload(Action::UploadAcknowledged, &upload);
    let etag = upload.object.map(|object| object.etag);
    let members = [
        ("Location", completed.location),
        ("Bucket", upload.bucket),
        ("Key", upload.key),
        ("ETag", etag.unwrap_or_default()),
    ];
    let response = document("CompleteMultipartUploadResult", &elements(&members));
    Ok(response.audited(details))
}

async fn abort(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
) -> Result<HttpResponse, Problem> {
    let upload = cancel::cancel(&broker, &caller, &session.0).await?;
    let details = ActionDetails::on_upload(Action::UploadCancelled, &upload);
    Ok(HttpResponse::NoContent().finish().audited(details))
}

fn elements(members: &[(&str, String)]) -> String {
    let members = members.iter();
    let members = members.map(|(name, value)| format!("<{name}>{}</{name}>", escape(value)));
    members.collect()
}

fn document(name: &str, content: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/xml"))
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{NAMESPACE}\">{content}</{name}>"
        ))
}
