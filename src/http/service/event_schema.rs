//! `GET /schemas/event.json`.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::event_schema::event_schema;
use crate::http::operation::Operation;
use crate::http::static_document::StaticDocument;

static SCHEMA: LazyLock<StaticDocument> = LazyLock::new(|| {
    StaticDocument::new(
        "application/schema+json",
        format!("{:#}\n", event_schema()).into_bytes(),
    )
});

const PATH: &str = "/schemas/event.json";

#[derive(OpenApi)]
#[openapi(paths(schema))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(schema),
    document: ApiDoc::openapi,
    problems: &[],
};

/// Returns the JSON Schema of events.
#[utoipa::path(get, path = PATH, operation_id = "getEventSchema", tag = "Service",
    summary = "Get the JSON Schema of events",
    description = "Returns the JSON Schema (2020-12) of the events that subscribers receive: the CloudEvents envelope and its `data`. Later versions of the broker may add members and event types. The response has an ETag; a request with `If-None-Match` gets a 304 while the schema is the same.",
    security(()),
    responses(
        (status = 200, description = "The schema",
            headers(("ETag" = String, description = "Changes with the schema")),
            content((serde_json::Value = "application/schema+json", example = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"})))),
        (status = 304, description = "`If-None-Match` names the current ETag")))]
pub async fn schema(request: HttpRequest) -> HttpResponse {
    SCHEMA.respond(&request)
}
