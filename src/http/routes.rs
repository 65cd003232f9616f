//! Registers the routes of all operations with the framework.

use std::sync::LazyLock;

use actix_web::Resource;
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get};

use super::middleware::auth::authenticate_caller;
use super::middleware::limit::limit_principals;
use super::operation::Operation;
use super::service::docs::{self, Document};
use super::static_document::StaticDocument;
use super::{openapi, operations, page, uppy};

static YAML: LazyLock<StaticDocument> =
    LazyLock::new(|| StaticDocument::new("application/yaml", openapi::yaml().into_bytes()));
static JSON: LazyLock<StaticDocument> =
    LazyLock::new(|| StaticDocument::new("application/json", openapi::json().into_bytes()));

/// Registers the API, the schemas and the service pages. HEAD works wherever GET does.
pub fn api(config: &mut ServiceConfig) {
    for operations in operations::API.chunk_by(|one, next| one.scope() == next.scope()) {
        if let [first, ..] = operations {
            config.service(authenticated(first.scope(), operations));
        }
    }
    public(config, operations::SCHEMAS);
    config.service(web::resource("/assets/{file:.*}").route(get().to(page::asset)));
    health(config);
}

/// Registers what a process without the API serves as well: its health checks, and the descriptions
/// of problems.
pub fn health(config: &mut ServiceConfig) {
    public(config, operations::SERVICE);
    public(config, operations::PROBLEMS);
}

/// Registers the OpenAPI document and the pages that show it: on the listener of the API, on a
/// separate one, or nowhere.
pub fn docs(config: &mut ServiceConfig) {
    config.app_data(web::Data::new(Document {
        yaml: || &YAML,
        json: || &JSON,
    }));
    public(config, operations::DOCS);
    config
        .service(web::resource("/docs").route(get().to(docs::redirect_to_ui)))
        .service(web::resource("/docs/{file:.*}").route(get().to(docs::ui)));
}

/// Registers the metrics: on the listener of the API, on a separate one, or nowhere.
pub fn metrics(config: &mut ServiceConfig) {
    public(config, operations::METRICS);
}

/// Operations of one first path segment, behind authentication and the limit of the principal.
/// An unknown path below it is a 401 without a credential, and a 404 with one.
fn authenticated(scope: &'static str, operations: &[Operation]) -> impl HttpServiceFactory + use<> {
    let guarded = web::scope(scope)
        .wrap(from_fn(limit_principals))
        .wrap(from_fn(authenticate_caller));
    let all = (resources(scope, operations).into_iter())
        .chain((scope == uppy::SCOPE).then(uppy::sts::resource))
        .chain(
            (scope == uppy::SCOPE)
                .then(uppy::xml::resources)
                .into_iter()
                .flatten(),
        );
    all.fold(guarded, |scope, resource| scope.service(resource))
}

fn public(config: &mut ServiceConfig, operations: &[Operation]) {
    for resource in resources("", operations) {
        config.service(resource);
    }
}

/// One resource for each path, so that a wrong method is a 405 and not a 404. Their order is the
/// order in which the framework matches them.
fn resources(scope: &str, operations: &[Operation]) -> Vec<Resource> {
    let by_path = operations.chunk_by(|one, next| one.path == next.path);
    let mut by_path: Vec<_> = by_path
        .filter_map(|operations| Some((operations.first()?.path, operations)))
        .collect();
    by_path.sort_by_key(|(path, _)| precedence(path));
    by_path
        .into_iter()
        .map(|(path, operations)| {
            let pattern = path.strip_prefix(scope).unwrap_or(path);
            // The path of a dataset contains slashes.
            let resource = web::resource(pattern.replace("{path}", "{path:.*}"));
            let routes = operations.iter().map(|operation| (operation.route)());
            routes.fold(resource, |resource, route| resource.route(route))
        })
        .collect()
}

/// Sorts literal paths first, because `{id}` matches `batch` too, and paths that end in the path of
/// a dataset last, because that matches `/action/copy` too.
fn precedence(path: &str) -> (bool, bool) {
    (path.ends_with("{path}"), path.contains('{'))
}

#[cfg(test)]
mod tests;
