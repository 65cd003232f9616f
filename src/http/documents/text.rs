//! `GET /uploads/{id}/text`.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::document::{MAX_PAGES, PageText};
use crate::domain::page::{Cursor, LIMITS, Page};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, DatasetsRead, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::ndjson;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::documents::text::{self, Selection, Text};

/// The text of a page.
#[derive(Serialize, ToSchema)]
pub struct TextOfPage {
    /// The number of the page, from 1.
    #[schema(example = 3, minimum = 1)]
    pub page: u32,
    /// The text, normalized to NFKC and without control characters other than line ends and tabs.
    #[schema(example = "The quarterly report\nshows a surplus.\n")]
    pub text: String,
}

/// Some pages of a document.
#[derive(Serialize, ToSchema)]
pub struct DocumentText {
    /// The number of pages of the whole document.
    #[schema(example = 12, minimum = 1)]
    pub pages: u32,
    /// The pages in their order. Pages that could not be read are left out.
    pub text: Vec<TextOfPage>,
}

/// The parsed query parameters.
#[derive(Debug)]
pub struct ReadText {
    params: Params,
    selection: Selection,
}

impl FromParams for ReadText {
    const NAMES: &'static [&'static str] = &["page", "limit", "cursor"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let selection = match params.one("page")? {
            None => Selection::From {
                cursor: params.cursor()?,
                limit: params.limit()?,
            },
            Some(page) => {
                if params.one("cursor")?.is_some() || params.one("limit")?.is_some() {
                    let detail = "must not be combined with limit or cursor";
                    return Err(Problem::field("/page", detail));
                }
                let page = page.parse().ok();
                let page = page.filter(|page| (1..=MAX_PAGES).contains(page));
                Selection::One(page.ok_or_else(|| {
                    let detail = format!("must be a number from 1 to {MAX_PAGES}");
                    Problem::field("/page", detail)
                })?)
            }
        };
        let params = params.clone();
        Ok(Self { params, selection })
    }
}

const PATH: &str = "/uploads/{id}/text";

#[derive(OpenApi)]
#[openapi(paths(read))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(read),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::TextMissing),
    ],
};

/// Reads the text of an upload.
#[utoipa::path(get, path = PATH, operation_id = "readUploadText", tag = "Processing",
    summary = "Read the text of an upload",
    description = "Returns the text that the processor `pdf-text` has extracted from the upload, page by page. With `page`, one page; it is missing from `text` if the document has no such page, or the page could not be read. Otherwise the first pages, and a `Link` to the next ones; a response also ends after about 4 MiB of text. With `Accept: application/x-ndjson`, the response has all pages, one JSON document per line; a response without the final chunk is incomplete.",
    security(("bearer" = ["uploads:read", "datasets:read"])),
    params(
        ("id" = Uuid, Path, description = "The id of the upload"),
        ("page" = Option<u32>, Query, description = "The number of the only page to return", minimum = 1, maximum = 100_000, example = 3),
        ("limit" = Option<u16>, Query, description = "The largest number of pages in the response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "The cursor in the `Link` header of the previous response; opaque", pattern = "^[A-Za-z0-9_-]+$"),
    ),
    responses((status = 200, description = "Some pages, or all pages as NDJSON",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there are more pages")),
        content(
            (DocumentText = "application/json", example = json!(example())),
            (String = "application/x-ndjson", example = json!(ndjson_example())),
        ))))]
pub async fn read(
    caller: Caller<(UploadsRead, DatasetsRead)>,
    broker: web::Data<Broker>,
    base: BasePath,
    id: UploadId,
    query: Query<ReadText>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(ReadText { params, selection }) = query;
    if let (Selection::From { cursor, .. }, true) = (&selection, ndjson::is_requested(&request)) {
        return stream_all(broker, caller.principal(), id.0, cursor.clone()).await;
    }
    let found = text::text(&broker, &caller, id.0, &selection).await?;
    let record = audit_record(id.0, &found.path);
    let mut response = HttpResponse::Ok();
    if let Some(next) = &found.text.next {
        let path = base.join(&format!("/uploads/{}/text", id.0));
        response.insert_header((header::LINK, params.link_to_next(&path, next)));
    }
    let document = DocumentText {
        pages: found.pages,
        text: found.text.items.into_iter().map(Into::into).collect(),
    };
    Ok(response
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(document)
        .audited(record))
}

/// Streams all pages as NDJSON.
async fn stream_all(
    broker: web::Data<Broker>,
    principal: Arc<Principal>,
    id: Uuid,
    cursor: Option<Cursor>,
) -> Result<HttpResponse, Problem> {
    let read = move |cursor| {
        let (broker, principal) = (broker.clone(), Arc::clone(&principal));
        async move {
            let limit = *LIMITS.end();
            let selection = Selection::From { cursor, limit };
            text::text(&broker, &principal, id, &selection).await
        }
    };
    let first = read(cursor).await?;
    let record = audit_record(id, &first.path);
    let response = ndjson::stream_from(page_of(first), move |cursor| {
        let next = read(cursor);
        async move { next.await.map(page_of) }
    });
    Ok(response.audited(record))
}

fn page_of(found: Text) -> Page<TextOfPage> {
    Page {
        items: found.text.items.into_iter().map(Into::into).collect(),
        next: found.text.next,
    }
}

fn audit_record(id: Uuid, path: &DatasetPath) -> ActionDetails {
    ActionDetails {
        upload_id: Some(id),
        ..ActionDetails::on_path(Action::DatasetDownloaded, path)
    }
}

impl From<PageText> for TextOfPage {
    fn from(page: PageText) -> Self {
        Self {
            page: page.page,
            text: page.text,
        }
    }
}

fn example_page() -> Value {
    json!({"page": 3, "text": "The quarterly report\nshows a surplus.\n"})
}

fn example() -> Value {
    json!({"pages": 12, "text": [example_page()]})
}

fn ndjson_example() -> String {
    format!("{}\n", example_page())
}
