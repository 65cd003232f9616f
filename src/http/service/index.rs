//! `GET /`.

use actix_web::{HttpResponse, web};

use crate::config::{PageListener, Pages};
use crate::http::html;

const DOCS: &str = "<li><a href=\"/docs/\">API documentation</a>, with a form for every call</li>\
    <li><a href=\"/openapi.yaml\">OpenAPI document</a> (<a href=\"/openapi.json\">JSON</a>)</li>";

/// The handler.
#[utoipa::path(get, path = "/", operation_id = "index", tag = "Service",
    summary = "Show where to go from here",
    description = "A page for people with links to the documentation and the health of the broker.",
    security(()),
    responses((status = 200, description = "The page", content((String = "text/html")))))]
pub async fn index(pages: Option<web::Data<Pages>>) -> HttpResponse {
    let has_docs = pages.is_none_or(|pages| pages.docs == PageListener::Main);
    let docs = if has_docs { DOCS } else { "" };
    let body = format!(
        "<h1>upload-broker</h1>\
         <p>Hands out pre-signed upload sessions, proves what arrived, and tells those who wait. \
         The bytes go straight to S3.</p>\
         <ul>\
         {docs}\
         <li><a href=\"/problems\">Every problem code</a></li>\
         <li><a href=\"/heartbeat\">Heartbeat</a>, <a href=\"/readyz\">readiness</a></li>\
         </ul>\
         <p>Every other route needs <code>Authorization: Bearer</code> with an API key.</p>"
    );
    html::page("Home", &body)
}
