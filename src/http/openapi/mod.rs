//! The OpenAPI 3.1 document, built from the code: no running server is needed.
//!
//! Operations come from the attributes beside the handlers; what all of them share (problems,
//! `x-request-id`, security) is added here, from the same tables that the code runs on.

pub mod examples;
mod problems;
pub mod schemas;
mod shared;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{audit, datasets, problem, service, tokens, uploads};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "upload-broker",
        description = "Pre-signed upload sessions for S3: create one, PUT the bytes straight to the store, acknowledge, and everyone who waits is told.\n\nErrors are problems (RFC 9457); `GET /problems/{code}` explains each. Every answer carries `x-request-id`. Lists are JSON arrays; the next page is in `Link`.",
    ),
    tags(
        (name = "Uploads", description = "Upload sessions: a promise that one object will arrive at one path."),
        (name = "Datasets", description = "What stands in the bucket."),
        (name = "Audit", description = "Who did what."),
        (name = "Tokens", description = "Credentials for browsers: short-lived, and good for little."),
        (name = "Service", description = "The broker itself. No credential is needed."),
    ),
    components(schemas(problem::body::Body)),
    paths(
        uploads::create::create,
        uploads::batch::batch,
        uploads::list::list,
        uploads::read::read,
        uploads::delete::delete,
        uploads::sign_parts::sign,
        uploads::list_parts::list,
        uploads::extend::extend,
        uploads::acknowledge::acknowledge,
        uploads::acknowledge_batch::acknowledge,
        uploads::cancel::cancel,
        uploads::events::events,
        datasets::list::list,
        datasets::detail::detail,
        datasets::copy::copy,
        datasets::delete::delete,
        datasets::download::download,
        datasets::acknowledge::acknowledge,
        audit::list::list,
        tokens::create::create,
        service::index::index,
        service::health::heartbeat,
        service::health::livez,
        service::readiness::readyz,
        service::metrics::metrics,
        service::docs::yaml,
        service::docs::json,
        problem::page::list,
        problem::page::show,
    ),
)]
struct Handlers;

/// The document.
pub fn document() -> OpenApi {
    let mut document = Handlers::openapi();
    problems::add(&mut document);
    shared::add(&mut document);
    document
}

/// The document as YAML, as it is committed and served.
pub fn yaml() -> String {
    let yaml = document().to_yaml().unwrap_or_default();
    yaml.lines().map(|line| quote_time(line) + "\n").collect()
}

/// A time of an example, in quotes: readers of YAML 1.1 would make a date of a bare one.
fn quote_time(line: &str) -> String {
    match line.split_once(": ") {
        Some((name, value)) if value.starts_with("2025-") => format!("{name}: '{value}'"),
        _ => line.to_owned(),
    }
}

/// The document as JSON.
pub fn json() -> String {
    document().to_json().unwrap_or_default()
}

#[cfg(test)]
mod tests;
