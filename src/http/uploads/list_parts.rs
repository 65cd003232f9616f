//! `GET /uploads/{id}/parts`.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures::{TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::Checksum;
use crate::usecases::uploads::parts::list::{self, Parts};
use crate::usecases::{Broker, Error};

/// What is there of an upload, and what is missing.
#[derive(Serialize, ToSchema)]
pub struct PartsOfUpload {
    /// What S3 has, in the order of the numbers.
    uploaded: Vec<UploadedPart>,
    /// Parts that are not there, or not as planned: ranges with both ends. Where the size is open,
    /// only gaps are known.
    #[schema(example = json!([[3, 7], [9, 9]]))]
    missing: Vec<(u32, u32)>,
    /// Bytes of every part but the last.
    #[schema(example = 16777216)]
    part_size: u64,
    /// How many parts. Null where the size is open.
    #[schema(required = true)]
    part_count: Option<u32>,
}

/// A part that S3 has.
#[derive(Serialize, ToSchema)]
pub struct UploadedPart {
    /// From 1 on.
    part_number: u32,
    /// Bytes.
    size: u64,
    /// With its quotes, as S3 writes it.
    etag: String,
    /// Of the part's bytes, where S3 has one.
    #[schema(required = true)]
    checksum: Option<Checksum>,
}

impl From<list::UploadedPart> for UploadedPart {
    fn from(part: list::UploadedPart) -> Self {
        Self {
            part_number: part.number,
            size: part.size,
            checksum: part.checksum.as_ref().map(Into::into),
            etag: part.etag,
        }
    }
}

const PATH: &str = "/uploads/{id}/parts";

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

/// The handler.
#[utoipa::path(get, path = PATH, operation_id = "listParts", tag = "Uploads",
    summary = "List the parts that are there",
    description = "What S3 has of a Pending upload, and which parts are missing: to go on after a crash, ask for the URLs of those. The answer is streamed.",
    security(("bearer" = ["uploads:read"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The parts", body = PartsOfUpload, example = json!(example()))))]
pub async fn list(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let parts = list::list(broker.into_inner(), &caller, id.0).await?;
    let writing = Writing {
        parts,
        begun: false,
        done: false,
    };
    let chunks = stream::try_unfold(writing, next_chunk)
        .inspect_err(|error| log::error!("a listing of parts was cut off: {error}"));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .streaming(chunks))
}

struct Writing {
    parts: Parts,
    /// Whether a part was written.
    begun: bool,
    done: bool,
}

/// A page of parts, or the end.
async fn next_chunk(mut writing: Writing) -> Result<Option<(Bytes, Writing)>, Error> {
    if writing.done {
        return Ok(None);
    }
    let mut chunk = Vec::new();
    let page = writing.parts.next_page().await?;
    writing.done = page.is_none();
    for part in page.into_iter().flatten() {
        let before: &[u8] = if writing.begun {
            b","
        } else {
            b"{\"uploaded\":["
        };
        chunk.extend_from_slice(before);
        writing.begun = true;
        write(&mut chunk, &UploadedPart::from(part))?;
    }
    if writing.done {
        let before: &[u8] = if writing.begun {
            b"]"
        } else {
            b"{\"uploaded\":[]"
        };
        chunk.extend_from_slice(before);
        let plan = writing.parts.plan();
        chunk.extend_from_slice(b",\"missing\":");
        write(&mut chunk, &writing.parts.missing())?;
        chunk.extend_from_slice(b",\"part_size\":");
        write(&mut chunk, &plan.part_size())?;
        chunk.extend_from_slice(b",\"part_count\":");
        write(&mut chunk, &plan.count())?;
        chunk.push(b'}');
    }
    Ok(Some((chunk.into(), writing)))
}

fn write(chunk: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(chunk, value).map_err(|cause| Error::Internal(cause.into()))
}

fn example() -> Value {
    json!({
        "uploaded": [{
            "part_number": 1,
            "size": 16_777_216,
            "etag": "\"9b2cf535f27731c974343645a3985328\"",
            "checksum": {"algorithm": "CRC64NVME", "value": "AAAAAAAAAAA="},
        }],
        "missing": [[2, 3]],
        "part_size": 16_777_216,
        "part_count": 3,
    })
}
