//! `GET /`.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use crate::config::{PageListener, Pages};
use crate::http::operation::Operation;
use crate::http::page::ContentPolicy;
use crate::http::{html, page};

const DOCS: &str = "<li><a href=\"/docs/\">API documentation</a>, with a form for each operation</li>\
    <li><a href=\"/openapi.yaml\">OpenAPI document</a> (<a href=\"/openapi.json\">JSON</a>)</li>";

const NOT_BUILT: &str = "<p>This binary was built without the web page. Build the page with \
    <code>make page</code>, and then the binary again; <code>make run</code> and \
    <code>make build</code> do both.</p>";

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

/// Returns the web page.
#[utoipa::path(get, path = PATH, operation_id = "index", tag = "Service",
    summary = "Show the web page",
    description = "Returns the web page for uploads and datasets. With `BROKER_PAGE=false`, and on a process without the API, it is a page with links to the documentation and the health of the broker.",
    security(()),
    responses((status = 200, description = "The page", content((String = "text/html"))),
        (status = 304, description = "`If-None-Match` names the current ETag")))]
pub async fn index(
    request: HttpRequest,
    pages: Option<web::Data<Pages>>,
    policy: Option<web::Data<ContentPolicy>>,
) -> HttpResponse {
    if let Some(policy) = &policy
        && let Some(page) = page::start(&request, policy)
    {
        return page;
    }
    let has_docs = pages.is_none_or(|pages| pages.docs == PageListener::Main);
    let docs = if has_docs { DOCS } else { "" };
    let not_built = if policy.is_some() { NOT_BUILT } else { "" };
    let body = format!(
        "<h1>upload-broker</h1>\
         <p>Issues pre-signed upload URLs for S3, verifies the objects that arrive, and notifies \
         subscribers. The bytes go directly to S3.</p>\
         {not_built}\
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
