//! `GET /events`.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::live;
use super::wire::{EXAMPLE_CURSOR, Event, FeedEntry, example, stream_example};
use crate::domain::event::EventType;
use crate::domain::feed::{FeedCursor, FeedFilter};
use crate::domain::page::Cursor;
use crate::domain::refusal::Code;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::sse;
use crate::lifecycle::Shutdown;
use crate::usecases::Broker;
use crate::usecases::feed::{follow, page};

/// The parsed query parameters.
#[derive(Debug)]
pub struct ListEvents {
    params: Params,
    filter: FeedFilter,
    after: Option<FeedCursor>,
    limit: u16,
}

impl FromParams for ListEvents {
    const NAMES: &'static [&'static str] = &["after", "prefix", "type", "limit"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let types = params.all("type").map(str::parse);
        let types: Result<Vec<EventType>, String> = types.collect();
        let prefix = params.one("prefix")?;
        let filter = FeedFilter {
            types: types.map_err(|detail| Problem::field("/type", detail))?,
            prefix: prefix.map(|prefix| format!("/{}", prefix.trim_start_matches('/'))),
        };
        let after = params.one("after")?;
        Ok(Self {
            filter,
            after: after.map(|text| cursor("/after", text)).transpose()?,
            limit: params.limit()?,
            params: params.clone(),
        })
    }
}

/// Parses a cursor of the feed.
fn cursor(pointer: &str, text: &str) -> Result<FeedCursor, Problem> {
    match Cursor::decode(text) {
        Some(Cursor::Feed(cursor)) => Ok(cursor),
        _ => Err(Problem::field(pointer, "must be a cursor of this feed")),
    }
}

const PATH: &str = "/events";

#[derive(OpenApi)]
#[openapi(paths(list))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(list),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest), Refused(Code::TooManyStreams)],
};

/// Lists or streams the events of the tenant.
#[utoipa::path(get, path = PATH, operation_id = "listEvents", tag = "Events",
    summary = "List or follow the events of the tenant",
    description = "Returns the events of the caller's tenant in the order of their transactions, oldest first. No event is skipped, whatever the order in which transactions commit. The events of one upload may come in another order than their `sequence` if two transactions overlap.\n\nWith `Accept: text/event-stream`, the response is a live stream (Server-Sent Events) of the events that are committed from now on, or after `Last-Event-ID` or `after`. The `data` of each event is an `Event` in JSON, and its `id` the cursor to continue after it. A comment comes every 15 s. The event `reset` means that the database was restored: read the state of uploads again. The event `end` says why the broker ends the stream: `credential`, `stop` or `unavailable`.",
    security(("bearer" = ["uploads:read"])),
    params(
        ("after" = Option<String>, Query, description = "Only events after this cursor, from an event or a `Link` header; opaque", pattern = "^[A-Za-z0-9_-]+$"),
        ("prefix" = Option<String>, Query, description = "Only paths with this prefix", example = "/data/"),
        ("type" = Option<Vec<String>>, Query, description = "Only events of one of these types; may be repeated", example = json!(["dataset.uploaded"])),
        ("limit" = Option<u16>, Query, description = "The largest number of events that a page looks at, before `prefix` and `type` are applied; 100 by default. A stream has no pages.", minimum = 1, maximum = 1000),
        ("Last-Event-ID" = Option<String>, Header, description = "For a stream: the `id` of the last event that the client has. It has precedence over `after`."),
    ),
    responses((status = 200, description = "One page, or a live stream",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there is another page")),
        content(
            (Vec<FeedEntry> = "application/json", example = json!([example_entry()])),
            (String = "text/event-stream", example = json!(stream_example())),
        ))))]
pub async fn list(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    shutdown: web::Data<Shutdown>,
    base: BasePath,
    query: Query<ListEvents>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(query) = query;
    if sse::is_requested(&request) {
        let last = sse::last_event_id(&request)?;
        let last = last
            .map(|text| cursor("/last-event-id", text))
            .transpose()?;
        let after = last.or(query.after);
        let served = broker.clone().into_inner();
        let follower = follow(served, &caller, query.filter, after).await?;
        return Ok(live::respond(
            follower,
            &caller,
            broker,
            &shutdown,
            request.clone(),
        ));
    }
    let page = page(&broker, &caller, &query.filter, query.after, query.limit).await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next {
        let link = query.params.link_by("after", &base.join(PATH), next);
        response.insert_header((header::LINK, link));
    }
    let entries = page.items.iter().map(|(cursor, event)| FeedEntry {
        event: Event::from(&*event.event),
        cursor: cursor.encode(),
    });
    Ok(response
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(entries.collect::<Vec<_>>()))
}

fn example_entry() -> Value {
    let mut entry = example();
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("cursor".to_owned(), json!(EXAMPLE_CURSOR));
    }
    entry
}
