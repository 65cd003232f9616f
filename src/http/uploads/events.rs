//! `GET /uploads/{id}/events`.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;
use uuid::Uuid;

use crate::domain::page::Cursor;
use crate::domain::refusal::Code;
use crate::http::events::live;
use crate::http::events::wire::{Event, example, stream_example};
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::sse;
use crate::lifecycle::Shutdown;
use crate::usecases::Broker;
use crate::usecases::feed::follow_upload;
use crate::usecases::uploads::history;

const PATH: &str = "/uploads/{id}/events";

#[derive(OpenApi)]
#[openapi(paths(events))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(events),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::TooManyStreams),
    ],
};

/// Lists or streams the events of an upload.
#[utoipa::path(get, path = PATH, operation_id = "listUploadEvents", tag = "Uploads",
    summary = "List or follow the events of an upload",
    description = "Returns all events of the upload, oldest first. With `Accept: text/event-stream`, the response is a live stream (Server-Sent Events) of them: those that have happened, then those that happen. The `data` of each event is an `Event` in JSON; the stream is otherwise as that of `GET /events`.",
    security(("bearer" = ["uploads:read"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("Last-Event-ID" = Option<String>, Header, description = "For a stream: the `id` of the last event that the client has"),
    ),
    responses((status = 200, description = "The events, or a live stream",
        content(
            (Vec<Event> = "application/json", example = json!([example()])),
            (String = "text/event-stream", example = json!(stream_example())),
        ))))]
pub async fn events(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    shutdown: web::Data<Shutdown>,
    id: UploadId,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if sse::is_requested(&request) {
        let after = sequence(&request, id.0)?;
        let served = broker.clone().into_inner();
        let follower = follow_upload(served, &caller, id.0, after).await?;
        return Ok(live::respond(
            follower,
            &caller,
            broker,
            &shutdown,
            request.clone(),
        ));
    }
    let history = history::history(&broker, &caller, id.0).await?;
    let events: Vec<Event> = history.iter().map(Into::into).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(events))
}

/// The sequence number of the last event that the client has; 0 if it has none.
fn sequence(request: &HttpRequest, id: Uuid) -> Result<i32, Problem> {
    let Some(text) = sse::last_event_id(request)? else {
        return Ok(0);
    };
    match Cursor::decode(text) {
        Some(Cursor::History { upload, sequence }) if upload == id => Ok(sequence),
        _ => {
            let detail = "must be the id of an event of this stream";
            Err(Problem::field("/last-event-id", detail))
        }
    }
}
