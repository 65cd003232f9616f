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

/// The parts of an upload that S3 has, and those that are missing.
#[derive(Serialize, ToSchema)]
pub struct PartsOfUpload {
    /// The parts that S3 has, in the order of their numbers.
    uploaded: Vec<UploadedPart>,
    /// The numbers of parts that are missing or differ from the plan, as ranges that include both
    /// ends. If the size is not known, these are only the gaps.
    #[schema(example = json!([[3, 7], [9, 9]]))]
    missing: Vec<(u32, u32)>,
    /// The size in bytes of every part except the last.
    #[schema(example = 16777216)]
    part_size: u64,
    /// The number of parts; null if the size is not known.
    #[schema(required = true)]
    part_count: Option<u32>,
}

/// A part that S3 has.
#[derive(Serialize, ToSchema)]
pub struct UploadedPart {
    /// The number of the part, from 1.
    part_number: u32,
    /// The size in bytes.
    size: u64,
    /// The ETag with its quotes, as S3 returns it.
    etag: String,
    /// The checksum of the part, if S3 has one.
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

/// Lists the parts of a Pending upload. The response is streamed.
#[utoipa::path(get, path = PATH, operation_id = "listParts", tag = "Uploads",
    summary = "List the parts of an upload",
    description = "Lists the parts of a Pending upload that S3 has, and the numbers of the missing ones. To resume after a crash, request the URLs of the missing parts. The response is streamed.",
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
    let chunks = stream::try_unfold(writing, next_chunk).inspect_err(|error| {
        log::error!("the list of parts was cut off, because a page of it failed: {error}")
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .streaming(chunks))
}

/// The state of the streamed response.
struct Writing {
    parts: Parts,
    /// Whether a part was written.
    begun: bool,
    /// Whether the last chunk was written.
    done: bool,
}

/// Writes the next page of parts, or the end of the document.
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
