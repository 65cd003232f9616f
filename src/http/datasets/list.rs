//! `GET /datasets`.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::wire::Entry;
use crate::domain::page::{LIMITS, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Code;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::ndjson;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::datasets::list::{self, Listing};

/// The parsed query parameters.
#[derive(Debug)]
pub struct ListDatasets {
    params: Params,
    listing: Listing,
}

impl FromParams for ListDatasets {
    const NAMES: &'static [&'static str] = &["prefix", "delimiter", "limit", "cursor", "include"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let folders = match params.one("delimiter")? {
            None | Some("") => false,
            Some("/") => true,
            Some(_) => return Err(Problem::field("/delimiter", "must be /")),
        };
        let with_upload = match params.one("include")? {
            None => false,
            Some("upload") => true,
            Some(_) => return Err(Problem::field("/include", "must be upload")),
        };
        let listing = Listing {
            prefix: params.one("prefix")?.unwrap_or_default().to_owned(),
            folders,
            limit: params.limit()?,
            cursor: params.cursor()?,
            with_upload,
        };
        let params = params.clone();
        Ok(Self { params, listing })
    }
}

const PATH: &str = "/datasets";

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

/// Lists datasets.
#[utoipa::path(get, path = PATH, operation_id = "listDatasets", tag = "Datasets",
    summary = "List datasets",
    description = "Lists the objects in the bucket, in path order. A page may be shorter than `limit`, or even empty, although there is a next page: follow `Link`. With `Accept: application/x-ndjson`, the response has all datasets under the prefix, one JSON document per line; a response without the final chunk is incomplete. Every path in the list is accepted by all operations. An object whose key is not a valid path is listed with `\"path\": null`, its `key` and `\"addressable\": false`.",
    security(("bearer" = ["datasets:read"])),
    params(
        ("prefix" = Option<String>, Query, description = "Only paths with this prefix", example = "/data/"),
        ("delimiter" = Option<String>, Query, description = "`/` groups deeper paths into folders", example = "/", pattern = "^/?$"),
        ("limit" = Option<u16>, Query, description = "The largest number of entries on a page; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "The cursor in the `Link` header of the previous page; opaque", pattern = "^[A-Za-z0-9_-]+$"),
        ("include" = Option<String>, Query, description = "`upload` adds the upload of each dataset", example = "upload", pattern = "^upload$"),
    ),
    responses((status = 200, description = "One page, or all datasets as NDJSON",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there is another page")),
        content(
            (Vec<Entry> = "application/json", example = json!(example())),
            (String = "application/x-ndjson", example = json!(ndjson_example())),
        ))))]
pub async fn list(
    caller: Caller<DatasetsRead>,
    broker: web::Data<Broker>,
    base: BasePath,
    query: Query<ListDatasets>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(ListDatasets { params, listing }) = query;
    if ndjson::is_requested(&request) {
        return stream_all(broker, caller.principal(), listing).await;
    }
    let page = list::page(&broker, &caller, &listing).await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next {
        response.insert_header((
            header::LINK,
            params.link_to_next(&base.join("/datasets"), next),
        ));
    }
    let with_upload = listing.with_upload;
    let items: Vec<Entry> = (page.items.into_iter())
        .map(|entry| Entry::new(entry, with_upload))
        .collect();
    Ok(response
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(items))
}

/// Streams all datasets as NDJSON. The `limit` of the client is not used: each page is as large as
/// the store allows.
async fn stream_all(
    broker: web::Data<Broker>,
    principal: Arc<Principal>,
    listing: Listing,
) -> Result<HttpResponse, Problem> {
    let cursor = listing.cursor.clone();
    ndjson::stream(cursor, move |cursor| {
        let (broker, principal) = (broker.clone(), Arc::clone(&principal));
        let listing = Listing {
            limit: *LIMITS.end(),
            cursor,
            ..listing.clone()
        };
        async move {
            let page = list::page(&broker, &principal, &listing).await?;
            let entries = page.items.into_iter();
            let entries = entries.map(|entry| Entry::new(entry, listing.with_upload));
            Ok(Page {
                items: entries.collect(),
                next: page.next,
            })
        }
    })
    .await
}

pub(super) fn example_dataset() -> Value {
    json!({
        "name": "Employees",
        "path": "/data/employees.csv",
        "size": 18,
        "etag": "\"9b2cf535f27731c974343645a3985328\"",
        "last_modified": "2025-03-01T10:00:05.000Z",
    })
}

fn example() -> Value {
    let folder = json!({"name": "archive", "path": "/data/archive/", "kind": "folder"});
    let mut no_path = example_dataset();
    let key = "data/employees.csv/";
    let more = json!({"name": key, "path": null, "key": key, "addressable": false});
    if let (Value::Object(no_path), Value::Object(more)) = (&mut no_path, more) {
        no_path.extend(more);
    }
    json!([folder, example_dataset(), no_path])
}

fn ndjson_example() -> String {
    format!("{}\n", example_dataset())
}
