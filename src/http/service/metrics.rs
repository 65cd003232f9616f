//! `GET /metrics`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::http::operation::Operation;
use crate::telemetry::metrics::{CONTENT_TYPE, Metrics};

const PATH: &str = "/metrics";

#[derive(OpenApi)]
#[openapi(paths(metrics))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(metrics),
    document: ApiDoc::openapi,
    problems: &[],
};

/// The handler.
#[utoipa::path(get, path = PATH, operation_id = "metrics", tag = "Service",
    summary = "Read the measurements",
    description = "In Prometheus' text format. Where `BROKER_METRICS_BIND` is set, only on that listener; where `BROKER_METRICS` is false, nowhere.",
    security(()),
    responses((status = 200, description = "The measurements", content((String = "text/plain", example = "# TYPE upload_broker_http_requests_in_flight gauge\nupload_broker_http_requests_in_flight 1\n")))))]
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(metrics.render())
}
