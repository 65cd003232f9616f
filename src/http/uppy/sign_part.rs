//! `GET /s3/multipart/{uploadId}/{partNumber}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::session::Session;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uppy::parts;

/// The URL of a part. It is a credential: keep it secret.
#[derive(Serialize, ToSchema)]
pub struct PartUrl {
    /// The URL to PUT the part to.
    #[schema(format = "uri")]
    url: String,
    /// The seconds until it expires.
    expires: i64,
}

const PATH: &str = "/s3/multipart/{uploadId}/{partNumber}";

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

/// Signs the URL of one part.
#[utoipa::path(get, path = PATH, operation_id = "uppySignPart", tag = "Uppy",
    summary = "Issue the URL of a part",
    description = "Issues the URL of a part of a Pending upload, as often as needed, and extends the session. A part is refused whose number shows that the upload exceeds its limit, because every part before it has at least 5 MiB.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("uploadId" = String, Path, description = "The upload id of S3, as one percent-encoded segment", example = "VXBsb2FkIElE"),
        ("partNumber" = u32, Path, description = "The number of the part", minimum = 1, maximum = 10000, example = 1),
        ("key" = String, Query, description = "The key of the object", example = "in/photo.jpg"),
    ),
    responses((status = 200, description = "The URL", body = PartUrl, example = json!(example()))))]
pub async fn sign(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    session: Session,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let number = request.match_info().get("partNumber").unwrap_or_default();
    let number = number
        .parse()
        .map_err(|_| Problem::field("/partNumber", "must be a number from 1 to 10000"))?;
    let signed = parts::sign(&broker, &caller, &session.0, &[number]).await?;
    let details = ActionDetails::on_upload(Action::PartsSigned, &signed.upload);
    let details = details.expiring_at(signed.expires_at);
    let url = signed.urls.into_iter().next().map(|(_, url)| url);
    Ok(HttpResponse::Ok()
        .json(PartUrl {
            url: url.unwrap_or_default(),
            expires: signed.expires_in,
        })
        .audited(details))
}

/// An example of the URL of a part.
pub(super) const URL: &str = "https://bucket.s3.eu-central-1.amazonaws.com/in/photo.jpg?x-id=UploadPart&partNumber=1&uploadId=example&X-Amz-Signature=example";

fn example() -> Value {
    json!({"url": URL, "expires": 900})
}
