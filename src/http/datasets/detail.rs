//! `GET /datasets/{path}`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::wire::DatasetDetail;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::path::Dataset;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::datasets::detail;

const PATH: &str = "/datasets/{path}";

#[derive(OpenApi)]
#[openapi(paths(detail))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(detail),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::DatasetNotFound),
    ],
};

/// Returns a dataset.
#[utoipa::path(get, path = PATH, operation_id = "getDataset", tag = "Datasets",
    summary = "Get a dataset",
    description = "Returns the attributes of the object (from a HEAD request to the store), its upload, and a pre-signed download URL.",
    security(("bearer" = ["datasets:read"])),
    params(("path" = String, Path, description = "The path of the dataset. It contains slashes, which may be sent literally or as `%2F`. The leading slash may be omitted, or sent as `%2F`. The path is percent-decoded once, and `+` is a plus sign", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$")),
    responses((status = 200, description = "The dataset", body = DatasetDetail, example = json!(example()))))]
pub async fn detail(
    caller: Caller<DatasetsRead>,
    broker: web::Data<Broker>,
    path: Dataset,
) -> Result<HttpResponse, Problem> {
    let detail = detail::detail(&broker, &caller, &path.0).await?;
    let details = ActionDetails {
        upload_id: detail.upload.as_ref().map(|upload| upload.id),
        ..ActionDetails::on_path(Action::DatasetDownloaded, &path.0)
            .expiring_at(detail.download.expires_at)
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(DatasetDetail::from(detail))
        .audited(details))
}

fn example() -> Value {
    let more = json!({
        "content_type": "text/csv",
        "metadata": {"upload-id": examples::ID},
        "version_id": null,
        "checksum": examples::checksum(),
        "upload": {"id": examples::ID, "status": "Uploaded", "verification": examples::verification()},
        "download_url": examples::URL,
    });
    let mut dataset = super::list::example_dataset();
    if let (Value::Object(dataset), Value::Object(more)) = (&mut dataset, more) {
        dataset.extend(more);
    }
    dataset
}
