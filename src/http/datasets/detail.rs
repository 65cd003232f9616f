//! `GET /datasets/{path}`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::wire::DatasetDetail;
use crate::domain::audit::{Action, ActionDetails};
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::path::Dataset;
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::datasets::detail;

/// The handler.
#[utoipa::path(get, path = "/datasets/{path}", operation_id = "getDataset", tag = "Datasets",
    summary = "Show a dataset",
    description = "What the store says of it (by HEAD), the upload behind it, and a pre-signed URL to download it.",
    security(("bearer" = ["datasets:read"])),
    params(("path" = String, Path, description = "The path of the dataset. It contains slashes, which may be sent as they are or as `%2F`; its leading slash may be left out, or sent as `%2F`; everything else is percent-decoded once, and `+` is a plus", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$")),
    responses((status = 200, description = "The dataset", body = DatasetDetail, example = json!(examples::dataset()))))]
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
        .noted(details))
}
