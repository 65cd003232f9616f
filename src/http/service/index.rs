//! `GET /`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use crate::config::{PageListener, Pages};
use crate::http::html;
use crate::http::operation::Operation;

const DOCS: &str = "<li><a href=\"/docs/\">API documentation</a>, with a form for each operation</li>\
    <li><a href=\"/openapi.yaml\">OpenAPI document</a> (<a href=\"/openapi.json\">JSON</a>)</li>";

const PATH: &str = "/";

#[derive(OpenApi)]
#[openapi(paths(index))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(index),
    document: ApiDoc::openapi,
    problems: &[],
};

/// Returns the start page.
#[utoipa::path(get, path = PATH, operation_id = "index", tag = "Service",
    summary = "Show the start page",
    description = "Returns an HTML page with links to the documentation and the health of the broker.",
    security(()),
    responses((status = 200, description = "The page", content((String = "text/html")))))]
pub async fn index(pages: Option<web::Data<Pages>>) -> HttpResponse {
    let has_docs = pages.is_none_or(|pages| pages.docs == PageListener::Main);
    let docs = if has_docs { DOCS } else { "" };
    let body = format!(
        "<h1>upload-broker</h1>\
         <p>Issues pre-signed upload URLs for S3, verifies the objects that arrive, and notifies \
         subscribers. The bytes go directly to S3.</p>\
         <ul>\
         {docs}\
         <li><a href=\"/problems\">All problem codes</a></li>\
         <li><a href=\"/schemas/event.json\">JSON Schema of events</a></li>\
         <li><a href=\"/heartbeat\">Heartbeat</a>, <a href=\"/readyz\">readiness</a></li>\
         </ul>\
         <p>All other routes require <code>Authorization: Bearer</code> with an API key.</p>"
    );
    html::page("Home", &body)
}
