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

/// Returns the metrics.
#[utoipa::path(get, path = PATH, operation_id = "metrics", tag = "Service",
    summary = "Get the metrics",
    description = "Returns the metrics in the text format of Prometheus. If `BROKER_METRICS_BIND` is set, only that listener has them; if `BROKER_METRICS` is false, no listener does.",
    security(()),
    responses((status = 200, description = "The metrics", content((String = "text/plain", example = "# TYPE upload_broker_http_requests_in_flight gauge\nupload_broker_http_requests_in_flight 1\n")))))]
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(metrics.render())
}
