//! Answers requests for the page and its files.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::files;
use super::policy::ContentPolicy;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// The page itself; `None` if the binary does not contain it.
pub fn start(request: &HttpRequest, policy: &ContentPolicy) -> Option<HttpResponse> {
    let mut response = files::find("index.html")?.respond(request);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.value());
    // The address of the page may contain the name of a dataset.
    let no_referrer = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, no_referrer);
    Some(response)
}

/// `GET /assets/{file}`: a file of the page. Its name contains a hash of its content.
pub async fn asset(request: HttpRequest, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let document = files::find(&format!("assets/{file}"))
        .ok_or_else(|| Problem::new(Kind::NotFound, "The file does not exist."))?;
    Ok(document.respond(&request))
}
