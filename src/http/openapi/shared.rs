//! Adds what all operations have: security and `x-request-id`.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

/// Adds the security scheme, the server and the `x-request-id` headers to the document.
pub fn add(document: &mut OpenApi) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key (create one with `upload-broker keys create`), a JWT of the configured issuer, or an upload token (`POST /tokens`). Each operation lists the scopes that it requires; `admin` includes all scopes.",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    // The same origin as the document, whatever the address of the broker.
    document.servers = Some(vec![utoipa::openapi::Server::new("/")]);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            if !is_authenticated(operation) {
                operation.security = Some(Vec::new());
            }
            add_request_id(operation);
        }
    }
}

/// The operations of a path, for all methods that the API uses.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// Whether an operation requires a credential.
pub(super) fn is_authenticated(operation: &Operation) -> bool {
    let needs = operation.security.iter().flatten();
    // The attributes of a public operation have a requirement without a scheme.
    needs
        .into_iter()
        .any(|requirement| *requirement != Default::default())
}

fn add_request_id(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some(
                    "The id of the request: the one that the caller sent, if it is valid",
                ))
                .build();
            response
                .headers
                .insert("x-request-id".into(), header.into());
        }
    }
}
