//! `GET /audit`.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::wire::AuditRow;
use crate::domain::page::{Cursor, LIMITS, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Admin, Caller};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::ndjson;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::audit::list::{self as audit, Filter};

/// The parsed query parameters.
#[derive(Debug)]
pub struct ListAudit {
    params: Params,
    filter: Filter,
    limit: u16,
    cursor: Option<Cursor>,
}

impl FromParams for ListAudit {
    const NAMES: &'static [&'static str] =
        &["action", "prefix", "since", "until", "limit", "cursor"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let actions = params.all("action").map(str::parse);
        let actions: Result<_, String> = actions.collect();
        let filter = Filter {
            actions: actions.map_err(|detail| Problem::field("/action", detail))?,
            prefix: params.one("prefix")?.map(str::to_owned),
            since: params.time("since")?,
            until: params.time("until")?,
        };
        Ok(Self {
            filter,
            limit: params.limit()?,
            cursor: params.cursor()?,
            params: params.clone(),
        })
    }
}

const PATH: &str = "/audit";

#[derive(OpenApi)]
#[openapi(paths(list))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(list),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest)],
};

/// Lists audit rows.
#[utoipa::path(get, path = PATH, operation_id = "listAudit", tag = "Audit",
    summary = "List the audit trail",
    description = "Lists the actions on the data of the caller's tenant, newest first: issued sessions and URLs with their expiry, acknowledges, downloads, deletes, changes of API keys, and rejected requests. An action appears within seconds. With `Accept: application/x-ndjson`, the response has all rows, one JSON document per line; a response without the final chunk is incomplete.",
    security(("bearer" = ["admin"])),
    params(
        ("action" = Option<Vec<String>>, Query, description = "Only rows with one of these actions; may be repeated", example = json!(["upload.deleted"])),
        ("prefix" = Option<String>, Query, description = "Only paths with this prefix", example = "/data/"),
        ("since" = Option<String>, Query, description = "Only rows at or after this time (RFC 3339)", example = "2025-03-01T10:00:00Z"),
        ("until" = Option<String>, Query, description = "Only rows before this time (RFC 3339)", example = "2025-03-02T00:00:00Z"),
        ("limit" = Option<u16>, Query, description = "The largest number of entries on a page; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "The cursor in the `Link` header of the previous page; opaque", pattern = "^[A-Za-z0-9_-]+$"),
    ),
    responses((status = 200, description = "One page, or all rows as NDJSON",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there is another page")),
        content(
            (Vec<AuditRow> = "application/json", example = json!([example_row()])),
            (String = "application/x-ndjson", example = json!(ndjson_example())),
        ))))]
pub async fn list(
    caller: Caller<Admin>,
    broker: web::Data<Broker>,
    query: Query<ListAudit>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(query) = query;
    if ndjson::is_requested(&request) {
        return stream_all(broker, caller.principal(), query).await;
    }
    let page = audit::list(
        &broker,
        &caller,
        &query.filter,
        query.limit,
        query.cursor.as_ref(),
    )
    .await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next {
        response.insert_header((header::LINK, query.params.link_to_next("/audit", next)));
    }
    let items: Vec<AuditRow> = page.items.into_iter().map(Into::into).collect();
    Ok(response
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(items))
}

/// Streams all rows as NDJSON. The `limit` of the client is not used.
async fn stream_all(
    broker: web::Data<Broker>,
    principal: Arc<Principal>,
    query: ListAudit,
) -> Result<HttpResponse, Problem> {
    let filter = Arc::new(query.filter);
    ndjson::stream(query.cursor, move |cursor| {
        let (broker, filter) = (broker.clone(), Arc::clone(&filter));
        let principal = Arc::clone(&principal);
        async move {
            let limit = *LIMITS.end();
            let page = audit::list(&broker, &principal, &filter, limit, cursor.as_ref()).await?;
            let rows = page.items.into_iter().map(AuditRow::from);
            Ok(Page {
                items: rows.collect(),
                next: page.next,
            })
        }
    })
    .await
}

fn example_row() -> Value {
    json!({
        "id": "01955114-3a41-7d02-a0c5-2b1f8c6e4d90",
        "time": "2025-03-01T10:00:00.000Z",
        "action": "upload.created",
        "actor": "key:01955113-8d20-7f0a-b6a7-0a4f3f1f9b51",
        "tenant": "default",
        "address": "192.0.2.7",
        "request_id": examples::REQUEST_ID,
        "operation": null,
        "upload_id": examples::ID,
        "subject": null,
        "path": "/data/employees.csv",
        "expires_at": "2025-03-01T10:15:00.000Z",
        "code": null,
        "count": 1,
    })
}

fn ndjson_example() -> String {
    format!("{}\n", example_row())
}
