//! `POST /uploads/{id}/parts`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::multipart::Part;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalLargeJson;
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::long_array::LongArray;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Checksum, bytes};
use crate::usecases::Broker;
use crate::usecases::uploads::parts::{self, RequestedPart, RequestedParts};

/// The requested parts: exactly one of `part_numbers`, `from` and `parts`.
#[derive(Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignParts {
    /// The numbers of the parts.
    #[schema(min_items = 1, max_items = 10000, example = json!([1, 2]))]
    part_numbers: Option<Vec<u32>>,
    /// The number of the first part.
    #[schema(minimum = 1, maximum = 10000)]
    from: Option<u32>,
    /// The number of parts, with `from`; by default 100, or all that remain.
    #[schema(minimum = 1, maximum = 10000)]
    count: Option<u32>,
    /// The parts with their sizes or checksums.
    #[schema(min_items = 1, max_items = 10000)]
    parts: Option<Vec<WantedPart>>,
}

/// A requested part.
#[derive(PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedPart {
    /// The number of the part, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    part_number: u32,
    /// The size in bytes. It is required if the size of the upload is not known; otherwise it must
    /// be as planned.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 0)]
    size: Option<u64>,
    /// The checksum of the part. It is signed, so that S3 rejects other bytes.
    checksum: Option<Checksum>,
}

/// The parts with their URLs.
#[derive(Serialize, ToSchema)]
pub struct SignedParts {
    /// The parts in the requested order.
    parts: Vec<Part>,
}

/// The parsed query parameters `from` and `count`, which `next` of a session has.
#[derive(Debug)]
pub struct Range {
    from: Option<u32>,
    count: Option<u32>,
}

impl FromParams for Range {
    const NAMES: &'static [&'static str] = &["from", "count"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let number = |name: &str| {
            let parsed = params.one(name)?.map(str::parse).transpose();
            parsed.map_err(|_| Problem::field(&format!("/{name}"), "must be a number"))
        };
        Ok(Self {
            from: number("from")?,
            count: number("count")?,
        })
    }
}

const PATH: &str = "/uploads/{id}/parts";

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
        Refused(Code::QuotaExceeded),
    ],
};

/// Issues pre-signed URLs of parts.
#[utoipa::path(post, path = PATH, operation_id = "signParts", tag = "Uploads",
    summary = "Issue the URLs of parts",
    description = "Issues the URLs of parts of a Pending upload: by number, as a range, or each with the checksum that S3 checks the bytes against. At most 10,000 parts in one request, and each as often as needed. If the size of the upload is not known, each part must state its size. Each request extends the session (`expires_at`). To have all parts checked, state the checksum algorithm at create (`part_checksums`). If parts are requested with checksums that were not announced, and no part has arrived yet, the URLs that were issued before become invalid.",
    security(("bearer" = ["uploads:write"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("from" = Option<u32>, Query, description = "As in the body, which must then be omitted"),
        ("count" = Option<u32>, Query, description = "As in the body"),
    ),
    request_body(content = Option<SignParts>, example = json!(example_request())),
    responses((status = 200, description = "The parts", body = SignedParts, example = json!(example_response()))))]
pub async fn sign(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    query: Query<Range>,
    body: OptionalLargeJson<SignParts>,
) -> Result<HttpResponse, Problem> {
    let asked = asked(body.0, query.0)?;
    let signed = parts::sign(&broker, &caller, id.0, asked).await?;
    let details = ActionDetails {
        upload_id: Some(id.0),
        ..ActionDetails::on_path(Action::PartsSigned, signed.path())
            .expiring_at(signed.expires_at())
    };
    let array = LongArray::new("parts", signed.map(|part| part.map(Part::from)));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .streaming(stream::iter(array))
        .audited(details))
}

fn asked(body: SignParts, query: Range) -> Result<RequestedParts, Problem> {
    let body = match query {
        Range {
            from: None,
            count: None,
        } => body,
        Range { from, count } => {
            if body != SignParts::default() {
                return Err(Problem::field(
                    "/from",
                    "is in the query, so the body must be omitted",
                ));
            }
            SignParts {
                from,
                count,
                ..SignParts::default()
            }
        }
    };
    match body {
        SignParts {
            part_numbers: Some(numbers),
            from: None,
            count: None,
            parts: None,
        } => Ok(RequestedParts::Numbers(numbers)),
        SignParts {
            part_numbers: None,
            from: Some(from),
            count,
            parts: None,
        } => Ok(RequestedParts::Range { from, count }),
        SignParts {
            part_numbers: None,
            from: None,
            count: None,
            parts: Some(parts),
        } => Ok(RequestedParts::Parts(
            parts.into_iter().map(Into::into).collect(),
        )),
        _ => Err(Problem::field(
            "",
            "expected exactly one of: part_numbers; from, with or without count; parts",
        )),
    }
}

impl From<WantedPart> for RequestedPart {
    fn from(part: WantedPart) -> Self {
        Self {
            number: part.part_number,
            size: part.size,
            checksum: part.checksum.map(Checksum::into_pair),
        }
    }
}

fn example_request() -> Value {
    json!({"from": 101, "count": 100})
}

fn example_response() -> Value {
    const URL: &str = "https://bucket.s3.eu-central-1.amazonaws.com/data/employees.csv?x-id=UploadPart&partNumber=1&uploadId=example&X-Amz-Signature=example";
    json!({"parts": [{
        "part_number": 101,
        "offset": 1_677_721_600_u64,
        "size": 16_777_216,
        "url": URL,
        "headers": {},
        "expires_at": "2025-03-01T10:15:00.000Z",
    }]})
}
