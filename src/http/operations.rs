//! Every operation of the HTTP API.
//!
//! This is the only list: `routes` and `openapi` are made from it. Operations with the same path
//! are next to each other, and so are operations with the same first segment. The order is the
//! order of the OpenAPI document.

use super::operation::Operation;
use super::problem::page;
use super::service::{docs, event_schema, health, index, metrics, readiness};
use super::{audit, datasets, documents, events, jobs, principal, tenants, tokens, uploads, uppy};

/// Operations that need a credential.
pub const API: &[Operation] = &[
    uploads::create::OPERATION,
    uploads::list::OPERATION,
    uploads::batch::OPERATION,
    uploads::read::OPERATION,
    uploads::delete::OPERATION,
    uploads::sign_parts::OPERATION,
    uploads::list_parts::OPERATION,
    uploads::extend::OPERATION,
    uploads::acknowledge::OPERATION,
    uploads::acknowledge_batch::OPERATION,
    uploads::cancel::OPERATION,
    uploads::events::OPERATION,
    jobs::report::OPERATION,
    jobs::retry::OPERATION,
    jobs::of_upload::OPERATION,
    jobs::results::OPERATION,
    documents::text::OPERATION,
    datasets::list::OPERATION,
    datasets::detail::OPERATION,
    datasets::delete::OPERATION,
    datasets::copy::OPERATION,
    datasets::download::OPERATION,
    datasets::acknowledge::OPERATION,
    jobs::claim::OPERATION,
    jobs::list::OPERATION,
    documents::search::OPERATION,
    events::list::OPERATION,
    audit::list::OPERATION,
    tokens::create::OPERATION,
    uppy::params::OPERATION,
    uppy::create_multipart::OPERATION,
    uppy::list_parts::OPERATION,
    uppy::abort::OPERATION,
    uppy::sign_parts::OPERATION,
    uppy::complete::OPERATION,
    uppy::sign_part::OPERATION,
    uppy::sign::OPERATION,
    principal::show::OPERATION,
    tenants::usage::OPERATION,
];

/// Public pages about the broker.
pub const SERVICE: &[Operation] = &[
    index::OPERATION,
    health::HEARTBEAT,
    health::LIVEZ,
    readiness::OPERATION,
];

/// The metrics, which may have a listener of their own.
pub const METRICS: &[Operation] = &[metrics::OPERATION];

/// Public JSON Schemas of what the broker sends.
pub const SCHEMAS: &[Operation] = &[event_schema::OPERATION];

/// The OpenAPI document, which may have a listener of its own.
pub const DOCS: &[Operation] = &[docs::YAML, docs::JSON];

/// Public pages that explain the problem codes.
pub const PROBLEMS: &[Operation] = &[page::LIST, page::SHOW];

/// Every operation, in the order of the OpenAPI document.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    [API, SERVICE, METRICS, DOCS, PROBLEMS, SCHEMAS]
        .into_iter()
        .flatten()
}
