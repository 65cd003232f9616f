//! `GET /uploads/{id}/events`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::problem::Problem;
use crate::http::wire::Time;
use crate::usecases::Broker;
use crate::usecases::uploads::history;

/// One thing that happened to an upload.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// UUIDv7; the `id` of the notification too.
    pub id: Uuid,
    /// The upload.
    pub upload_id: Uuid,
    /// 1, 2, 3 … of this upload.
    pub sequence: i32,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "dataset.uploaded")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Time,
    /// The facts at that moment.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When SNS took it; null where it waits, or is not notified.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub published_at: Option<Time>,
    /// When the broker gave it up, because SNS will never take it; null otherwise.
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

/// The handler.
#[utoipa::path(get, path = "/uploads/{id}/events", operation_id = "listUploadEvents", tag = "Uploads",
    summary = "Show the history of an upload",
    description = "Every event of the upload, oldest first.",
    security(("bearer" = ["uploads:read"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    responses((status = 200, description = "The history", body = Vec<Event>, example = json!(examples::events()))))]
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
