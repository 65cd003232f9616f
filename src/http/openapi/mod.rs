//! The OpenAPI 3.1 document, built from the code: no running server is needed.
//!
//! Each handler documents its operation next to itself; `operations` lists them. This module puts
//! them together and adds what they share (problems, `x-request-id`, security), from the same
//! tables that the code runs on.

pub mod examples;
mod problems;
pub mod schemas;
mod shared;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{operations, problem};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "upload-broker",
        description = "Pre-signed upload sessions for S3: create a session, PUT the bytes directly to the store, and acknowledge. The broker verifies the object and notifies subscribers.\n\nErrors are problems (RFC 9457); `GET /problems/{code}` explains each code. Every response has `x-request-id`. Lists are JSON arrays; the next page is in `Link`.",
    ),
    tags(
        (name = "Uploads", description = "Upload sessions. Each is for one object at one path."),
        (name = "Datasets", description = "The objects in the bucket."),
        (name = "Events", description = "What happened to the uploads of the tenant, as pages and as a live stream."),
        (name = "Audit", description = "The audit trail: who did what."),
        (name = "Processing", description = "Jobs: what becomes of a dataset after it arrived. Workers claim jobs, renew their leases, and report the end."),
        (name = "Tokens", description = "Upload tokens: short-lived credentials with few rights, for example for browsers."),
        (name = "Uppy", description = "The routes of Uppy Companion for S3, which `@uppy/aws-s3` calls unchanged. Their errors have `message` and `error` in addition."),
        (name = "Tenants", description = "The tenant of the caller."),
        (name = "Service", description = "The broker itself. Only the rights of a credential require one."),
    ),
    components(schemas(problem::body::Body)),
)]
struct Overview;

/// Makes the document.
pub fn document() -> OpenApi {
    let mut document = Overview::openapi();
    for operation in operations::all() {
        let mut part = (operation.document)();
        problems::add(&mut part, operation.problems);
        document.merge(part);
    }
    shared::add(&mut document);
    document
}

/// Makes the document as YAML, as it is committed and served.
pub fn yaml() -> String {
    let yaml = document().to_yaml().unwrap_or_default();
    yaml.lines().map(|line| quote_time(line) + "\n").collect()
}

/// Puts quotes around the times in examples, because YAML 1.1 parsers read an unquoted time as a
/// date.
fn quote_time(line: &str) -> String {
    match line.split_once(": ") {
        Some((name, value)) if value.starts_with("2025-") => format!("{name}: '{value}'"),
        _ => line.to_owned(),
    }
}

/// Makes the document as JSON.
pub fn json() -> String {
    document().to_json().unwrap_or_default()
}

#[cfg(test)]
mod tests;
