//! `GET /uploads/{id}/events`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::domain;
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::Time;
use crate::usecases::Broker;
use crate::usecases::uploads::history;

/// An event of an upload.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// A UUIDv7; the notification has the same `id`.
    pub id: Uuid,
    /// The id of the upload.
    pub upload_id: Uuid,
    /// The number of the event within the upload, from 1.
    pub sequence: i32,
    /// The type of the event.
    #[serde(rename = "type")]
    #[schema(example = "dataset.uploaded")]
    pub kind: String,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Time,
    /// The state of the upload at that time.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When SNS accepted the event; null if it is waiting, or is not sent.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub published_at: Option<Time>,
    /// When the broker gave up sending the event, because SNS will never accept it; null otherwise.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub undeliverable_at: Option<Time>,
}

impl From<domain::event::Event> for Event {
    fn from(event: domain::event::Event) -> Self {
        Self {
            id: event.id,
            upload_id: event.upload_id,
            sequence: event.sequence,
            kind: event.kind,
            time: event.at.into(),
            data: event.data,
            published_at: event.published_at.map(Into::into),
            undeliverable_at: event.undeliverable_at.map(Into::into),
        }
    }
}

const PATH: &str = "/uploads/{id}/events";

#[derive(OpenApi)]
#[openapi(paths(events))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(events),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest), Refused(Code::UploadNotFound)],
};

/// Lists the events of an upload.
#[utoipa::path(get, path = PATH, operation_id = "listUploadEvents", tag = "Uploads",
    summary = "List the events of an upload",
    description = "Returns all events of the upload, oldest first.",
    security(("bearer" = ["uploads:read"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The events", body = Vec<Event>, example = json!(example()))))]
pub async fn events(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    id: UploadId,
) -> Result<HttpResponse, Problem> {
    let history = history::history(&broker, &caller, id.0).await?;
    let events: Vec<Event> = history.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(events))
}

fn example() -> Value {
    json!([{
        "id": "01955114-5596-7b1a-8c54-0d6f3f0d7e21",
        "upload_id": examples::ID,
        "sequence": 1,
        "type": "dataset.uploaded",
        "time": "2025-03-01T10:00:07.123Z",
        "data": {"upload_id": examples::ID, "path": "/data/employees.csv", "status": "Uploaded"},
        "published_at": "2025-03-01T10:00:07.456Z",
        "undeliverable_at": null,
    }])
}
