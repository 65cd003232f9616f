//! `GET /heartbeat` and `GET /livez`: the process answers. They ask nobody else.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::http::operation::Operation;
use crate::http::wire::Time;
use crate::usecases::Broker;

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub struct Heartbeat {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Of the broker.
    version: &'static str,
    /// The broker's clock.
    #[schema(value_type = String, format = DateTime)]
    time: Time,
}

const HEARTBEAT_PATH: &str = "/heartbeat";
const LIVEZ_PATH: &str = "/livez";

#[derive(OpenApi)]
#[openapi(paths(heartbeat))]
struct HeartbeatDoc;

#[derive(OpenApi)]
#[openapi(paths(livez))]
struct LivezDoc;

/// The declaration of `GET /heartbeat`.
pub const HEARTBEAT: Operation = Operation {
    path: HEARTBEAT_PATH,
    route: || web::get().to(heartbeat),
    document: HeartbeatDoc::openapi,
    problems: &[],
};

/// The declaration of `GET /livez`.
pub const LIVEZ: Operation = Operation {
    path: LIVEZ_PATH,
    route: || web::get().to(livez),
    document: LivezDoc::openapi,
    problems: &[],
};

/// The handler of `/heartbeat`.
#[utoipa::path(get, path = HEARTBEAT_PATH, operation_id = "heartbeat", tag = "Service",
    summary = "Ask for a sign of life",
    description = "Version and time. Does not look at Postgres or S3.",
    security(()),
    responses((status = 200, description = "Alive", body = Heartbeat, example = json!(example()))))]
pub async fn heartbeat(broker: web::Data<Broker>) -> HttpResponse {
    alive(&broker)
}

/// The handler of `/livez`.
#[utoipa::path(get, path = LIVEZ_PATH, operation_id = "livez", tag = "Service",
    summary = "Ask whether the process lives",
    description = "For a supervisor: where this fails, restart. Does not look at Postgres or S3.",
    security(()),
    responses((status = 200, description = "Alive", body = Heartbeat, example = json!(example()))))]
pub async fn livez(broker: web::Data<Broker>) -> HttpResponse {
    alive(&broker)
}

fn alive(broker: &Broker) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Heartbeat {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            time: broker.clock.now().into(),
        })
}

fn example() -> Value {
    json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "time": "2025-03-01T10:00:00.000Z"})
}
