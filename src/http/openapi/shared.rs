//! What every operation has: security and `x-request-id`.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

/// Adds it.
pub fn add(document: &mut OpenApi) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key (`upload-broker keys create` makes one), a JWT of the issuer that the broker believes, or an upload token (`POST /tokens`). Each operation names the scope that it needs; `admin` holds them all.",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    // Same origin as the document, wherever the broker stands.
    document.servers = Some(vec![utoipa::openapi::Server::new("/")]);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            if !is_authenticated(operation) {
                operation.security = Some(Vec::new());
            }
            name_the_request(operation);
        }
    }
}

/// The operations of a path, whatever their method.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// Whether an operation needs a credential.
fn is_authenticated(operation: &Operation) -> bool {
    let needs = operation.security.iter().flatten();
    // A requirement without a scheme is how the attributes say "public".
    needs
        .into_iter()
        .any(|requirement| *requirement != Default::default())
}

fn name_the_request(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some("The caller's own where it sent a sane one"))
                .build();
            response
                .headers
                .insert("x-request-id".into(), header.into());
        }
    }
}
