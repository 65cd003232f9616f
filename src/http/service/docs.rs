//! `/openapi.yaml`, `/openapi.json`, and Swagger UI at `/docs/` with its assets in the binary.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;
use crate::http::static_document::StaticDocument;

static UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json")
        .try_it_out_enabled(true)
        .persist_authorization(false)
        .validator_url("none");
    Arc::new(config)
});

/// The OpenAPI document as it is served. It is app data, because the document is made from the
/// list of operations, of which these handlers are a part.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Returns the document as YAML.
    pub yaml: fn() -> &'static StaticDocument,
    /// Returns the document as JSON.
    pub json: fn() -> &'static StaticDocument,
}

const YAML_PATH: &str = "/openapi.yaml";
const JSON_PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(paths(yaml))]
struct YamlDoc;

#[derive(OpenApi)]
#[openapi(paths(json))]
struct JsonDoc;

/// The declaration of `GET /openapi.yaml`.
pub const YAML: Operation = Operation {
    path: YAML_PATH,
    route: || web::get().to(yaml),
    document: YamlDoc::openapi,
    problems: &[],
};

/// The declaration of `GET /openapi.json`.
pub const JSON: Operation = Operation {
    path: JSON_PATH,
    route: || web::get().to(json),
    document: JsonDoc::openapi,
    problems: &[],
};

/// Returns the OpenAPI document as YAML.
#[utoipa::path(get, path = YAML_PATH, operation_id = "getOpenApiYaml", tag = "Service",
    summary = "Get this document as YAML",
    description = "Returns this OpenAPI 3.1 document, which is generated from the code.",
    security(()),
    responses(
        (status = 200, description = "The document",
            headers(("ETag" = String, description = "Changes with the document")),
            content((serde_json::Value = "application/yaml", example = json!({"openapi": "3.1.0"})))),
        (status = 304, description = "`If-None-Match` names the current ETag")))]
pub async fn yaml(request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    (document.yaml)().respond(&request)
}

/// Returns the OpenAPI document as JSON.
#[utoipa::path(get, path = JSON_PATH, operation_id = "getOpenApiJson", tag = "Service",
    summary = "Get this document as JSON",
    description = "Returns this OpenAPI 3.1 document, which is generated from the code.",
    security(()),
    responses(
        (status = 200, description = "The document",
            headers(("ETag" = String, description = "Changes with the document")),
            content((serde_json::Value = "application/json", example = json!({"openapi": "3.1.0"})))),
        (status = 304, description = "`If-None-Match` names the current ETag")))]
pub async fn json(request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    (document.json)().respond(&request)
}

/// Redirects `/docs` to `/docs/`, because the user interface loads its files by relative paths.
pub async fn redirect_to_ui() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// Returns a file of the user interface.
pub async fn ui(file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&UI))
        .map_err(|cause| Problem::internal(cause.to_string()))?;
    let Some(file) = found else {
        return Err(Problem::new(Kind::NotFound, "The file does not exist."));
    };
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ))
        .body(file.bytes.into_owned()))
}
