//! `GET /uploads/{id}/results`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsRead, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::jobs::results::{self, JobResult};

/// A dataset that a job of the upload has written.
#[derive(Serialize, ToSchema)]
pub struct ResultEntry {
    /// What it is.
    #[schema(example = "aggregate")]
    pub kind: String,
    /// The name of the processor.
    #[schema(example = "csv-aggregate")]
    pub processor: String,
    /// The path of the dataset.
    #[schema(example = "/derived/plays.csv")]
    pub path: String,
    /// The size in bytes when the job ended.
    pub size: u64,
    /// The ETag when the job ended.
    pub etag: String,
    /// A pre-signed GET URL of the dataset.
    #[schema(format = "uri")]
    pub download_url: String,
}

const PATH: &str = "/uploads/{id}/results";

#[derive(OpenApi)]
#[openapi(paths(results))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(results),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest), Refused(Code::UploadNotFound)],
};

/// Lists the results of an upload.
#[utoipa::path(get, path = PATH, operation_id = "listUploadResults", tag = "Processing",
    summary = "List the results of an upload",
    description = "Returns the datasets that the jobs of the upload have written, each with a URL to read it. Jobs that have not succeeded have no results.",
    security(("bearer" = ["uploads:read", "datasets:read"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The results", body = Vec<ResultEntry>, example = json!(example()))))]
pub async fn results(
    caller: Caller<(UploadsRead, DatasetsRead)>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let results = results::results(&broker, &caller, id.0).await?;
    let details = (results.iter())
        .map(|result| ActionDetails {
            upload_id: Some(id.0),
            path: Some(result.output.path.clone()),
            ..ActionDetails::new(Action::DatasetDownloaded).expiring_at(result.download.expires_at)
        })
        .collect();
    let entries: Vec<ResultEntry> = results.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(entries)
        .audited_all(details))
}

impl From<JobResult> for ResultEntry {
    fn from(result: JobResult) -> Self {
        Self {
            kind: result.output.kind,
            processor: result.processor,
            path: result.output.path,
            size: result.output.size,
            etag: result.output.etag,
            download_url: result.download.url,
        }
    }
}

fn example() -> Value {
    json!([{
        "kind": "aggregate",
        "processor": "csv-aggregate",
        "path": "/derived/plays.csv",
        "size": 1_204,
        "etag": "\"9b2cf535f27731c974343645a3985328\"",
        "download_url": examples::URL,
    }])
}
